"""Taking pgrecall away from a database: what would go, and doing it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from uuid import UUID

import psycopg

from pgrecall._sync.session import Session, connected
from pgrecall.domain.retention import organization_backup_name
from pgrecall.domain.uninstall import Part, Uninstallation
from pgrecall.errors import ConflictError, MigrationError, MissingPrivilegeError
from pgrecall.ops.backup.folder import target_in
from pgrecall.ops.backup.writer import back_up
from pgrecall.sql.address import described

_PURPOSE = "uninstall"
_PLAN = re.compile(r"^-- plan: begins\n(.*)^-- plan: ends$", re.MULTILINE | re.DOTALL)


def uninstall_sql() -> str:
    """What takes pgrecall away, for psql."""
    return (files("pgrecall.sql") / "uninstall.sql").read_text(encoding="utf-8")


def plan_uninstall(dsn: str) -> Uninstallation:
    """What would go and what would stay. Raises MissingPrivilegeError for who is no owner."""
    with connected(dsn, _PURPOSE) as session:
        return _look(session, described(dsn))


def uninstall(
    dsn: str,
    *,
    keep: str | None = None,
    for_recipients: str | None = None,
    on_kept: Callable[[str], None] = lambda _: None,
) -> Uninstallation:
    """Take away all that the installation made, in one transaction, and say what stays.

    `keep` is a folder, or a URL of one, to which every organization is backed up before; `on_kept`
    hears of each file. What is written after its backup began is lost.

    Raises ConflictError if something else is built on it, MissingPrivilegeError for a role that
    may not, MigrationError if a lock can't be had: nothing was changed then. Raises what a backup
    raises.
    """
    planned = plan_uninstall(dsn)
    if planned.dependents:
        names = ", ".join(part.name for part in planned.dependents)
        raise ConflictError(
            f"not pgrecall's, and built on it: {names}",
            hint="Nothing was changed. Drop or change these first.",
        )
    if not (planned.gone or planned.stays):
        return planned
    kept = () if keep is None else tuple(_keep(dsn, keep, for_recipients, on_kept))
    with connected(dsn, _PURPOSE) as session:
        planned = _look(session, described(dsn))
        try:
            session.execute(uninstall_sql())
        except psycopg.errors.InsufficientPrivilege as error:
            raise MissingPrivilegeError(str(error), hint="Connect as a superuser.") from error
        except psycopg.errors.LockNotAvailable as error:
            raise MigrationError(
                "Others use the tables: a lock could not be had, and nothing was changed.",
                hint="End what reads and writes them, and run this again.",
            ) from error
    return replace(planned, is_done=True, dependents=(), kept=kept)


def _look(session: Session, database: str) -> Uninstallation:
    found = _PLAN.search(uninstall_sql())
    assert found, "uninstall.sql has no plan"
    with session.connection.transaction(force_rollback=True):
        if not session.row("look_at_installation")["is_here"]:
            return Uninstallation(
                database=database,
                is_done=False,
                organizations=0,
                memories=0,
                gone=(),
                stays=(),
                dependents=(),
            )
        try:
            session.execute(found[1])
            parts = [Part(**row) for row in session.rows("list_uninstall_plan")]
        except psycopg.errors.InsufficientPrivilege as error:
            hint = error.diag.message_hint
            raise MissingPrivilegeError(f"{error.diag.message_primary}.", hint=hint) from error
        counts = session.row("count_for_uninstall")
    return Uninstallation(
        database=database,
        is_done=False,
        organizations=counts["organizations"],
        memories=counts["memories"],
        gone=tuple(part for part in parts if part.statement is not None),
        stays=tuple(part for part in parts if part.used_by is not None),
        dependents=tuple(part for part in parts if part.kind == "dependent"),
    )


def _keep(
    dsn: str, folder: str, for_recipients: str | None, on_kept: Callable[[str], None]
) -> list[str]:
    made: list[str] = []
    for organization_id, name in _organizations(dsn):
        file = organization_backup_name(
            organization_id, name, datetime.now(UTC), is_encrypted=for_recipients is not None
        )
        target = target_in(f"{folder.rstrip('/')}/", file)
        back_up(dsn, organization_id, target, for_recipients=for_recipients)
        on_kept(target)
        made.append(target)
    return made


def _organizations(dsn: str) -> list[tuple[UUID, str]]:
    with connected(dsn, _PURPOSE) as session:
        found = session.rows("list_organizations_to_keep")
    return [(row["organization_id"], row["name"]) for row in found]
