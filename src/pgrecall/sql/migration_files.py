"""The packaged migrations, read and understood without a database."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import files
from itertools import takewhile

from pgrecall.domain.migration import MigrationFile

# The names that `supabase db push` takes, too; of two files of one number it skips the second.
NAME = re.compile(r"([0-9]+)_(.*)\.sql")
_RERUN_WHEN = re.compile(r"--\s*rerun-when:\s*(.+)")
_CREATE_PUBLIC = re.compile(
    r"\bcreate (?:or replace )?(?:table|function|procedure|type|view|sequence) "
    r"(?:if not exists )?(public\.[a-z_]+)"
)
_CREATE_TABLE = re.compile(r"^\s*create table if not exists ([a-z_]+\.[a-z_]+)", re.MULTILINE)


@cache
def read_migrations() -> tuple[MigrationFile, ...]:
    """The migrations of this release, in the order in which they are applied."""
    folder = files("pgrecall.sql") / "migrations"
    found = [entry for entry in folder.iterdir() if NAME.fullmatch(entry.name)]
    return tuple(
        parse_migration(entry.name, entry.read_text(encoding="utf-8"))
        for entry in sorted(found, key=lambda entry: entry.name)
    )


def read_ledger_definition() -> str:
    """The SQL that creates the ledger, agent_memory.migrations."""
    return (files("pgrecall.sql") / "ledger.sql").read_text(encoding="utf-8")


def read_fingerprints_definition() -> str:
    """The SQL that creates agent_memory.fingerprints."""
    return (files("pgrecall.sql") / "fingerprints.sql").read_text(encoding="utf-8")


def sql() -> str:
    """All migrations as one text, to be reviewed or run by psql; the ledger is not part of it."""
    return "\n".join(f"-- {file.name}\n\n{file.text}" for file in read_migrations())


def parse_migration(name: str, text: str) -> MigrationFile:
    """A migration from its text."""
    text = text.replace("\r\n", "\n")
    return MigrationFile(
        name=name,
        text=text,
        checksum=hashlib.sha256(text.encode()).hexdigest(),
        rerun_when=_rerun_when(text),
        tables=tuple(dict.fromkeys(_CREATE_TABLE.findall(text))),
        public_names=tuple(dict.fromkeys(_CREATE_PUBLIC.findall(text))),
    )


def _rerun_when(text: str) -> tuple[str, ...]:
    """The extensions that the comment at the head of a file names: `-- rerun-when: a, b`."""
    head = takewhile(lambda line: line.startswith("--") or not line.strip(), text.splitlines())
    markers = filter(None, (_RERUN_WHEN.fullmatch(line.strip()) for line in head))
    return tuple(name for marker in markers for name in re.split(r"[,\s]+", marker[1].strip()))
