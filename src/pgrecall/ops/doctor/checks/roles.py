"""`anon` and `authenticated` are what every client acts as, so an attribute of theirs is
everybody's: one that bypasses Row Level Security, or a superuser's, shows every organization to
all. The same goes for a membership in another role. Only `service_role` bypasses it by design.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pgrecall.domain.diagnosis import Finding, Sign, command, sql
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.database import CheckedDatabase

_ROLES = ("anon", "authenticated", "service_role")


@dataclass(frozen=True)
class ClientRole:
    """One of the three roles, by the rights that it has of itself and from others."""

    name: str
    is_superuser: bool
    bypasses_rls: bool
    creates_roles: bool
    memberships: tuple[str, ...]


def read(database: CheckedDatabase) -> Sequence[ClientRole]:
    """The roles that there are."""
    rows = database.rows("doctor_client_roles", roles=list(_ROLES))
    return [ClientRole(**{**row, "memberships": tuple(row["memberships"])}) for row in rows]


def judge(roles: Sequence[ClientRole]) -> Iterator[Sign]:
    """What each has that it should not."""
    for name in _ROLES:
        if all(role.name != name for role in roles):
            cure = command("pgrecall migrate --repair", is_safe=True)
            yield Finding("error", f"role {name}", "it is missing", cure)
    for role in roles:
        yield from _judge(role)


def _judge(role: ClientRole) -> Iterator[Sign]:
    wrong = [
        (role.is_superuser, "SUPERUSER"),
        (role.bypasses_rls and role.name != "service_role", "BYPASSRLS"),
        (role.creates_roles, "CREATEROLE"),
    ]
    attributes = [name for is_wrong, name in wrong if is_wrong]
    if attributes:
        takes_away = " ".join(f"NO{name}" for name in attributes)
        cure = sql(f"ALTER ROLE {role.name} {takes_away};", is_safe=True)
        yield Finding("critical", f"role {role.name}", f"it is {', '.join(attributes)}", cure)
    for other in role.memberships:
        yield Finding(
            "critical",
            f"role {role.name}",
            f"it is a member of {other}, and has its rights",
            sql(f"REVOKE {other} FROM {role.name};"),
        )


CHECK = Check("roles", "Clients' roles", read, judge)
