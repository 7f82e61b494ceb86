"""Clients read the tables of schema public and call functions; nobody but the owner and
`service_role` writes to a table directly, and `anon` has nothing at all. This check compares every
right on a table, column, sequence, function or type of pgrecall's, and on schema `agent_memory`,
with the declaration that the migrations apply, `agent_memory.declared_rights()`. So it also names
what default privileges gave to an object that was made after them. Whoever may execute a function
acts as any caller whose claims it sets, and `TRUNCATE` and `TRIGGER` obey no Row Level Security: a
right that was not declared weighs most where it is a client's or on a function.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from pgrecall.domain.diagnosis import Finding, Severity, Sign, Unseen, sql
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.database import CheckedDatabase

_CLIENTS = ("public", "anon", "authenticated")


@dataclass(frozen=True)
class WideGrant:
    """A right of a client's on a table that is more than reading by a signed-in one."""

    table: str
    grantee: str
    privileges: str


@dataclass(frozen=True)
class WrongRight:
    """A right that is not as it is declared: `undeclared`, `grantable` or `missing`; `cure` is a
    statement."""

    kind: str
    name: str
    grantee: str
    privilege: str
    problem: str
    cure: str


@dataclass(frozen=True)
class GrantFacts:
    """What differs from the declaration, None where that can't be asked, and the rights of clients
    that are too wide whatever was declared."""

    wrong: Sequence[WrongRight] | None
    wide: Sequence[WideGrant]


def read(database: CheckedDatabase) -> GrantFacts:
    """What the declaration says of the catalogs, else the catalogs alone."""
    if database.outlook.reads_rights:
        rows = database.rows("doctor_wrong_rights")
        return GrantFacts([WrongRight(**row) for row in rows], ())
    rows = database.rows("doctor_wide_grants", tables=database.tables)
    return GrantFacts(None, [WideGrant(**row) for row in rows])


def judge(facts: GrantFacts) -> Iterator[Sign]:
    """One finding for each object and each role that has too much or too little of it."""
    for wide in facts.wide:
        place = f"ON TABLE {wide.table}"
        yield Finding(
            "critical",
            f"grant {place} TO {wide.grantee}",
            f"{wide.grantee} may {wide.privileges}",
            sql(f"REVOKE {wide.privileges} {place} FROM {wide.grantee};", is_safe=True),
        )
    if facts.wrong is None:
        yield Unseen("rights beyond those on tables", "the owner of schema agent_memory")
        return
    for (kind, name, grantee, problem), found in groupby(facts.wrong, _key):
        rights = list(found)
        privileges = ", ".join(dict.fromkeys(each.privilege for each in rights))
        yield Finding(
            _severity(rights[0]),
            f"grant ON {kind.upper()} {name} TO {grantee}",
            f"{_SAYINGS[problem]}: {privileges}",
            sql(*(f"{each.cure};" for each in rights), is_safe=True),
        )


def _key(right: WrongRight) -> tuple[str, str, str, str]:
    return right.kind, right.name, right.grantee, right.problem


_SAYINGS = {
    "undeclared": "it was not declared",
    "grantable": "it was declared without grant option",
    "missing": "it was declared, and is missing",
}


def _severity(right: WrongRight) -> Severity:
    if right.problem == "missing":
        return "error"
    is_open = right.grantee in _CLIENTS or right.kind == "function"
    return "critical" if is_open else "warning"


CHECK = Check("grants", "Rights", read, judge)
