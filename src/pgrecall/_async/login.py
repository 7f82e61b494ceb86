"""The login of a service: a role that may act for callers, and without one may do nothing.

Claims are no wall against whoever runs SQL on a connection, if the role that logged in has rights
itself: RESET ROLE returns to it. This role has none, and is a member of `authenticated` alone.
"""

from __future__ import annotations

import secrets

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import args_row, scalar_row

from pgrecall.domain.login import LOGIN_ROLE, LoginReport
from pgrecall.errors import ConfigurationError
from pgrecall.sql import Statement, statement
from pgrecall.sql.address import described, for_login
from pgrecall.sql.failures import translated
from pgrecall.sql.migration_failures import MissingRight, login_is_not_bare, may_not_create_login
from pgrecall.sql.migration_files import read_release

__all__ = ["create_login"]

_SHORTEST_PASSWORD = 12
_STAYS = "has from another role what this one can't change"


async def create_login(
    dsn: str, *, password: str | None = None, role: str = LOGIN_ROLE
) -> LoginReport:
    """Create the login of a service, or make an existing one what it should be.

    The server sees no password, only its SCRAM verifier. Without `password` a new role gets a
    generated one, of 192 random bits, and an existing one keeps its own. All or nothing is done.

    Raises MissingPrivilegeError if this connection may not, MigrationError if the role has rights
    that a login should not have, ConfigurationError for a password of less than 12 characters.
    """
    if password is not None and len(password) < _SHORTEST_PASSWORD:
        raise ConfigurationError(f"a password of less than {_SHORTEST_PASSWORD} characters is weak")
    with translated():
        connection = await AsyncConnection.connect(
            dsn, prepare_threshold=None, fallback_application_name="pgrecall migrate"
        )
    async with connection:
        await _refuse_rights(connection, role)
        changes = await _settle(connection, role)
        is_new = any(change.startswith("CREATE ROLE ") for change in changes)
        if is_new:
            await _record(connection, role)
        generated = secrets.token_urlsafe(24) if is_new and password is None else None
        if chosen := password or generated:
            await _set_password(connection, role, chosen)
        await _refuse_rights(connection, role)
        url = for_login(dsn, connection.info.dbname, role, generated)
    return LoginReport(described(dsn), role, is_new, changes, generated, url)


async def _settle(connection: AsyncConnection, role: str) -> tuple[str, ...]:
    """The statements that were needed."""
    done: list[str] = []
    while composed := await _list_composed(connection, statement("compose_login", {"role": role})):
        if composed[0] in done:
            # It took no effect: somebody else has granted the same, and has to take it back.
            raise login_is_not_bare(role, [MissingRight(_STAYS, composed[0])])
        for change in composed:
            await _run(connection, role, change, shown=change)
        done += composed
    return tuple(done)


async def _record(connection: AsyncConnection, role: str) -> None:
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(statement("may_record_login").sql)
        if await cursor.fetchone():
            record = statement("record_login", {"role": role})
            await cursor.execute(record.sql, record.parameters)


async def _set_password(connection: AsyncConnection, role: str, password: str) -> None:
    verifier = connection.pgconn.encrypt_password(
        password.encode(), role.encode(), b"scram-sha-256"
    ).decode()
    compose = statement("compose_login_password", {"role": role, "verifier": verifier})
    for composed in await _list_composed(connection, compose):
        await _run(connection, role, composed, shown=f"\\password {role}")


async def _run(connection: AsyncConnection, role: str, composed: str, *, shown: str) -> None:
    with translated():
        try:
            await connection.execute(composed.encode())
        except psycopg.errors.InsufficientPrivilege as error:
            raise may_not_create_login(role, error, shown) from error


async def _refuse_rights(connection: AsyncConnection, role: str) -> None:
    tables = list(read_release().tables)
    wanted = statement("list_login_obstacles", {"role": role, "tables": tables})
    with translated():
        async with connection.cursor(row_factory=args_row(MissingRight)) as cursor:
            await cursor.execute(wanted.sql, wanted.parameters)
            found = await cursor.fetchall()
    if found:
        raise login_is_not_bare(role, found)


async def _list_composed(connection: AsyncConnection, compose: Statement) -> list[str]:
    with translated():
        async with connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(compose.sql, compose.parameters)
            return [str(row) for row in await cursor.fetchall()]
