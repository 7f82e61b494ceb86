"""The SQL of this release, read and understood without a database."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from pgrecall.domain.migration import MigrationFile, Release

# The names that `supabase db push` takes, too; of two files of one number it skips the second.
NAME = re.compile(r"([0-9]+)_(.*)\.sql")
_RECORD = re.compile(
    r"^select agent_memory\.record_(?:migration|upgrade)\('([^']+)', '([^']+)', '([^']+)'\);$"
)
_CREATE_PUBLIC = re.compile(
    r"\bcreate (?:or replace )?(?:table|function|procedure|view|sequence) (public\.[a-z_]+)"
)
_CREATE_TABLE = re.compile(r"^\s*create table ([a-z_]+\.[a-z_]+)", re.MULTILINE)
_LEDGER = re.compile(
    r"create table agent_memory\.migrations \([^;]*\);\s*"
    r"alter table agent_memory\.migrations enable row level security;"
)
_PREFLIGHT = re.compile(
    r"^-- preflight: begins\n(.*)^-- preflight: ends$", re.MULTILINE | re.DOTALL
)


@cache
def read_release() -> Release:
    """What this release makes of a database."""
    return release_in(files("pgrecall.sql"))


def release_in(folder: Traversable) -> Release:
    """What the assembled files of a folder make of a database."""
    install, upgrades = _read(folder / "install"), _read(folder / "upgrades")
    text = "\n".join(file.text for file in install)
    return Release(
        version=install[0].release,
        install=install,
        upgrades=upgrades,
        tables=tuple(dict.fromkeys(_CREATE_TABLE.findall(text))),
        public_names=tuple(dict.fromkeys(_CREATE_PUBLIC.findall(text))),
    )


def preflight(release: Release) -> str:
    """The statement that raises what would end an installation before it has changed anything."""
    found = _PREFLIGHT.search(release.install[0].text)
    assert found, f"{release.install[0].name} has no preflight"
    return found[1]


def ledger(release: Release) -> tuple[str, ...]:
    """The statements that make the ledger of a release, empty; each on one line."""
    found = _LEDGER.search(release.install[0].text)
    assert found, f"{release.install[0].name} makes no ledger"
    return tuple(f"{' '.join(each.split())};" for each in found[0].split(";")[:2])


def sql() -> str:
    """The full install as one text, to be reviewed or run by psql."""
    return "\n".join(f"-- {file.name}\n\n{file.text}" for file in read_release().install)


def parse_migration(text: str) -> MigrationFile:
    """A file from its text, which ends by recording its name, release and checksum.

    Raises ValueError if it doesn't, or if the checksum is not that of the text before.
    """
    text = text.replace("\r\n", "\n")
    for start, line in _lines(text):
        if found := _RECORD.match(line):
            name, release, checksum = found.groups()
            if checksum != hashlib.sha256(text[:start].encode()).hexdigest():
                raise ValueError(f"{name} was edited after it had been assembled")
            return MigrationFile(name=name, text=text, checksum=checksum, release=release)
    raise ValueError("the file does not record that it was applied")


def _lines(text: str) -> list[tuple[int, str]]:
    """The lines with where each begins, the last one first."""
    start, found = 0, []
    for line in text.splitlines(keepends=True):
        found.append((start, line.rstrip("\n")))
        start += len(line)
    return found[::-1]


def _read(folder: Traversable) -> tuple[MigrationFile, ...]:
    # A release without upgrades has no folder of them.
    entries = folder.iterdir() if folder.is_dir() else ()
    found = sorted(
        (entry for entry in entries if NAME.fullmatch(entry.name)), key=lambda entry: entry.name
    )
    return tuple(parse_migration(entry.read_text(encoding="utf-8")) for entry in found)
