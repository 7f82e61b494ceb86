"""pgrecall needs no extension and uses what there is: `vector` for meaning, `btree_gin` for text
search within one organization. This check names those that the server has at hand and the database
has not, releases older than what is at hand, and an extension that was moved to another schema
after the functions that name it were made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pgrecall.domain.diagnosis import Fact, Finding, Sign, command, sql
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.database import CheckedDatabase

_USED_FOR = {"vector": "recall by meaning", "btree_gin": "text search within one organization"}


@dataclass(frozen=True)
class Extension:
    """An extension that the server has at hand.

    `installed` is its release in this database, None where it is not; `made_for` the schema that
    pgrecall's functions look for it in, None where none does.
    """

    name: str
    at_hand: str
    installed: str | None
    schema: str | None
    made_for: str | None


def read(database: CheckedDatabase) -> Sequence[Extension]:
    """Those of use to pgrecall."""
    return [Extension(**row) for row in database.rows("doctor_extensions", names=list(_USED_FOR))]


def judge(extensions: Sequence[Extension]) -> Iterator[Sign]:
    """Missing, older, moved."""
    for each in extensions:
        yield from _judge(each)
    for name in sorted(_USED_FOR.keys() - {each.name for each in extensions}):
        yield Fact(f"this server has no {name}, so there is no {_USED_FOR[name]}")


def _judge(each: Extension) -> Iterator[Sign]:
    if each.installed is None:
        yield Finding(
            "warning",
            f"extension {each.name}",
            f"the server has {each.at_hand}, this database none: no {_USED_FOR[each.name]}",
            command("pgrecall migrate", is_safe=True),
        )
        return
    yield Fact(f"{each.name} {each.installed} in schema {each.schema}")
    if each.installed != each.at_hand:
        yield Finding(
            "notice",
            f"extension {each.name}",
            f"it is {each.installed}; the server has {each.at_hand} at hand",
            sql(f"ALTER EXTENSION {each.name} UPDATE;"),
        )
    if each.made_for and each.made_for != each.schema:
        yield Finding(
            "error",
            f"extension {each.name}",
            f"it is in schema {each.schema}, pgrecall's functions look for it in {each.made_for}",
            sql(f"ALTER EXTENSION {each.name} SET SCHEMA {each.made_for};"),
        )


CHECK = Check("extensions", "Extensions", read, judge)
