"""Homes to test with: one is made from nothing per session, the others are copies of it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pgrecall import embedded
from pgrecall.embedded.shares import shares


@pytest.fixture(scope="session")
def workshop() -> Iterator[Path]:
    """A folder of this session alone.

    Any other pytest session of the same user resets the mode of the one that pytest offers, and
    with it the access that root's server was given to it.
    """
    folder = Path(tempfile.mkdtemp(prefix="pgrecall-test-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def tmp_path(workshop: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(dir=workshop))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def template(workshop: Path) -> Iterator[Path]:
    home = workshop / "template"
    with embedded.join(home) as lease:
        assert lease.started
    yield home
    remove(home)


def remove(home: Path) -> None:
    if home.is_dir():
        embedded.stop(home)
        shutil.rmtree(home)


@pytest.fixture(scope="module")
def module_home(template: Path, workshop: Path) -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(dir=workshop)) / "home"
    subprocess.run(["cp", "-a", template, home], check=True)
    yield home
    remove(home)


@pytest.fixture
def home(module_home: Path) -> Iterator[Path]:
    """A stopped server's home, for tests that leave it whole."""
    yield module_home
    release_left(module_home)
    embedded.stop(module_home)


def release_left(home: Path) -> None:
    """Give back what a failed test still holds, so that later ones fail for their own reasons."""
    share = shares.get(home)
    for lease in list(share.leases) if share else []:
        assert isinstance(lease, embedded.ServerLease)
        lease.release()


@pytest.fixture
def home_at(module_home: Path, tmp_path: Path) -> Iterator[Callable[[Path], Path]]:
    """Move the stopped server's home to another place, and back after the test."""
    moved: list[Path] = []

    def move(place: Path) -> Path:
        (moved[-1] if moved else module_home).rename(place)
        moved.append(place)
        return place

    yield move
    if moved:
        embedded.stop(moved[-1])
        moved[-1].rename(module_home)


@pytest.fixture
def own_home(template: Path, tmp_path: Path) -> Iterator[Path]:
    """A stopped server's home, for tests that harm it."""
    home = tmp_path / "home"
    subprocess.run(["cp", "-a", template, home], check=True)
    yield home
    remove(home)


@pytest.fixture
def new_home(tmp_path: Path) -> Iterator[Path]:
    """A home that is not there yet."""
    yield tmp_path / "new"
    remove(tmp_path / "new")


Process = subprocess.Popen[str]
Python = Callable[..., Process]

# A test run in the background, or under nohup, hands down that these are ignored.
USUAL_SIGNALS = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
"""


@pytest.fixture
def python() -> Iterator[Python]:
    """Start a program in another process: python(code, argument, ...)."""
    started: list[Process] = []

    def run(code: str, *arguments: object, **options: object) -> Process:
        process = subprocess.Popen(
            [sys.executable, "-c", f"{USUAL_SIGNALS}{code}", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            **options,  # type: ignore[call-overload]
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


class Query:
    """One statement on a connection of its own; the first column of its first row."""

    def __call__(self, dsn: str, statement: str, *parameters: object) -> object:
        with psycopg.connect(dsn, autocommit=True) as connection:
            cursor = connection.execute(statement, parameters or None)  # type: ignore[arg-type]
            row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


@pytest.fixture(scope="session")
def query() -> Query:
    return Query()


@pytest.fixture
def as_nobody() -> Callable[[Callable[[], str]], str]:
    """Run a function as another user, in a fork; returns its text, or the text of its error."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    return _as_nobody


def _as_nobody(function: Callable[[], str]) -> str:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        entry = pwd.getpwnam("nobody")
        os.setgroups([])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
        try:
            text = function()
        except Exception as error:  # noqa: BLE001 - the child must not run on as a second pytest
            text = f"{type(error).__name__}: {error}"
        os.write(writer, text.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        text = pipe.read().decode()
    os.waitpid(child, 0)
    return text


@pytest.fixture
def tmpfs(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Mount a small file system: tmpfs(options, kind='tmpfs')."""
    mounted: list[Path] = []

    def mount(options: str, kind: str = "tmpfs") -> Path:
        place = tmp_path / f"mount{len(mounted)}"
        place.mkdir()
        command = ["mount", "-t", kind, "-o", options, kind, str(place)]
        if os.geteuid() != 0 or subprocess.run(command, check=False).returncode:
            pytest.skip("only root can mount, and not in every container")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", "--lazy", place], check=True)


def is_alive(pid: int) -> bool:
    """Whether the process does anything yet; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture(scope="session")
def await_end() -> Callable[[int | None], None]:
    return _await_end


def _await_end(pid: int | None) -> None:
    assert pid is not None
    for _ in range(1000):
        if not is_alive(pid):
            return
        time.sleep(0.005)
    pytest.fail(f"process {pid} goes on")


@pytest.fixture(scope="session")
def kill() -> Callable[[int | None], None]:
    return _kill


def _kill(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    _await_end(pid)
