"""Taking pgrecall away from a database: what would go, and doing it."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.resources import files
from uuid import UUID

import psycopg
from psycopg.rows import args_row, namedtuple_row

from pgrecall.domain.uninstall import Part, Uninstallation
from pgrecall.errors import ConflictError, MigrationError, MissingPrivilegeError
from pgrecall.ops.backup.making import back_up
from pgrecall.ops.backup.pruning import target_in
from pgrecall.sql import statement
from pgrecall.sql.address import described
from pgrecall.sql.failures import translated

_PLAN = re.compile(r"^-- plan: begins\n(.*)^-- plan: ends$", re.MULTILINE | re.DOTALL)


def uninstall_sql() -> str:
    """What takes pgrecall away, for psql."""
    return (files("pgrecall.sql") / "uninstall.sql").read_text(encoding="utf-8")


def plan_uninstall(dsn: str) -> Uninstallation:
    """What would go and what would stay. Raises MissingPrivilegeError for who is no owner."""
    with _connected(dsn) as connection:
        return _look(connection, described(dsn))


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
    with _connected(dsn) as connection:
        planned = _look(connection, described(dsn))
        try:
            connection.execute(uninstall_sql().encode())
        except psycopg.errors.InsufficientPrivilege as error:
            raise MissingPrivilegeError(str(error), hint="Connect as a superuser.") from error
        except psycopg.errors.LockNotAvailable as error:
            raise MigrationError(
                "Others use the tables: a lock could not be had, and nothing was changed.",
                hint="End what reads and writes them, and run this again.",
            ) from error
    return Uninstallation(
        planned.database,
        True,
        planned.organizations,
        planned.memories,
        planned.gone,
        planned.stays,
        (),
        kept,
    )


def _connected(dsn: str) -> psycopg.Connection:
    with translated():
        return psycopg.connect(
            dsn,
            autocommit=True,
            prepare_threshold=None,
            client_encoding="utf8",
            fallback_application_name="pgrecall uninstall",
        )


def _look(connection: psycopg.Connection, database: str) -> Uninstallation:
    found = _PLAN.search(uninstall_sql())
    assert found, "uninstall.sql has no plan"
    with translated(), connection.transaction(force_rollback=True):
        [[is_here]] = connection.execute(statement("look_at_installation").sql).fetchall()
        if not is_here:
            return Uninstallation(database, False, 0, 0, (), (), ())
        try:
            connection.execute(found[1].encode())
            with connection.cursor(row_factory=args_row(Part)) as cursor:
                parts = cursor.execute(statement("list_uninstall_plan").sql).fetchall()
        except psycopg.errors.InsufficientPrivilege as error:
            hint = error.diag.message_hint
            raise MissingPrivilegeError(f"{error.diag.message_primary}.", hint=hint) from error
        with connection.cursor(row_factory=namedtuple_row) as cursor:
            counts = cursor.execute(statement("count_for_uninstall").sql).fetchone()
        assert counts is not None
    return Uninstallation(
        database,
        False,
        counts.organizations,
        counts.memories,
        tuple(part for part in parts if part.statement is not None),
        tuple(part for part in parts if part.used_by is not None),
        tuple(part for part in parts if part.kind == "dependent"),
    )


def _keep(
    dsn: str, folder: str, for_recipients: str | None, on_kept: Callable[[str], None]
) -> list[str]:
    made: list[str] = []
    found = _organizations(dsn)
    names = [name for _, name in found]
    for organization_id, name in found:
        # Nothing keeps two organizations from having one name.
        of = name if names.count(name) == 1 else f"{name}-{organization_id}"
        encrypted = for_recipients is not None
        target = target_in(f"{folder.rstrip('/')}/", of, "tar", is_encrypted=encrypted)
        back_up(dsn, organization_id, target, for_recipients=for_recipients)
        on_kept(target)
        made.append(target)
    return made


def _organizations(dsn: str) -> list[tuple[UUID, str]]:
    with _connected(dsn) as connection, translated():
        return connection.execute(statement("list_organizations_to_keep").sql).fetchall()
