"""A word stands in the glossary once, and what the glossary names is there."""

from __future__ import annotations

import re
import shlex
from typing import Any

import psycopg
from typer.main import get_command

import pgrecall
from pgrecall.cli.commands import DeferredCommand
from pgrecall.cli.main import app
from tests.docs.pages import ROOT

_ROW = re.compile(r"^\| (?P<words>[^|]+) \| (?P<meaning>.+) \|$", re.MULTILINE)
_CLASS = re.compile(r"^class (\w+)", re.MULTILINE)
_LINES = (ROOT / "docs/glossary.md").read_text("utf-8").partition("| --- | --- |\n")[2]
ROWS = [(row["words"], row["meaning"]) for row in _ROW.finditer(_LINES)]
NAMES = sorted({name for _, meaning in ROWS for name in re.findall(r"`([^`]+)`", meaning)})
# Supabase's own function, and a slot by way of example.
NOT_OURS = {"auth.uid()", "user:maria/diet"}
# Of our schemas: relations and columns, functions with their texts, and constraints, in which
# the values of closed lists stand in quotes.
CATALOG = """
    with ours as (select oid from pg_namespace where nspname in ('public', 'agent_memory'))
    select c.oid::regclass::text || ' ' || a.attname
    from pg_class as c join pg_attribute as a on a.attrelid = c.oid
    where c.relnamespace in (table ours)
    union all
    select p.oid::regproc::text || ' ' || p.prosrc from pg_proc as p
    where p.pronamespace in (table ours)
    union all
    select pg_get_constraintdef(k.oid) from pg_constraint as k
    where k.connamespace in (table ours)
"""


def test_every_word_stands_once() -> None:
    words = [word for row, _ in ROWS for word in row.split(", ")]
    assert len(words) > 40
    assert [word for word in words if words.count(word) > 1 and not word.startswith("scope")] == []


def test_what_it_names_is_there(pgrecall_dsn: str) -> None:
    with psycopg.connect(pgrecall_dsn) as connection:
        catalog = "\n".join(str(row[0]) for row in connection.execute(CATALOG).fetchall())
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py"))
    classes = set(_CLASS.findall(sources))

    def is_there(name: str) -> bool:
        if name.startswith("pgrecall "):
            return is_command(name)
        if name[0].isupper():
            return has_attribute(name, classes)
        return re.search(rf"(?<![\w]){re.escape(name)}(?!\w)", catalog) is not None

    assert [name for name in NAMES if name not in NOT_OURS and not is_there(name)] == []


def has_attribute(name: str, classes: set[str]) -> bool:
    """Whether there is a class of that name or, behind a dot, an attribute of it."""
    of, _, attribute = name.partition(".")
    return hasattr(getattr(pgrecall, of), attribute) if attribute else of in classes


def is_command(line: str) -> bool:
    """Whether there is such a command, with such options."""
    command: Any = get_command(app)
    _, *words = shlex.split(line)
    for word in words:
        command = command.load() if isinstance(command, DeferredCommand) else command
        if word.startswith("-"):
            if all(word not in parameter.opts for parameter in command.params):
                return False
        elif word not in command.commands:
            return False
        else:
            command = command.commands[word]
    return True
