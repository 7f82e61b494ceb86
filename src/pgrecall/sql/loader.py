"""The named statements of queries/*.sql.

Each begins with `-- name: its_name` and has psycopg's named parameters, `%(user_id)s`. The server
is told the name too, in a comment, by which pg_stat_statements shows it. It stands behind the first
word, since comments before it are left out there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import LiteralString

_NAME = re.compile(r"^-- name: ([a-z_]+)\n", re.MULTILINE)
_FIRST_WORD = re.compile(r"((?:--[^\n]*\n|\s)*[a-z]+)(?=\s)")
_NOTHING: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement and its parameters, ready to be run, or run again."""

    name: str
    sql: LiteralString
    parameters: Mapping[str, object]


def statement(name: str, parameters: Mapping[str, object] = _NOTHING) -> Statement:
    """The named statement with its parameters; KeyError if there is none of that name."""
    return Statement(name, statements()[name], parameters)


@cache
def statements() -> Mapping[str, LiteralString]:
    """All statements by name."""
    found: dict[str, LiteralString] = {}
    for file in (resources.files(__package__) / "queries").iterdir():
        if file.name.endswith(".sql"):
            parts = _NAME.split(file.read_text("utf-8"))
            for name, text in zip(parts[1::2], parts[2::2], strict=True):
                if name in found:
                    raise ValueError(f"two statements are named {name}")
                named = _FIRST_WORD.sub(rf"\1 /* pgrecall:{name} */", text.strip().rstrip(";"), 1)
                found[name] = named
    return found
