# Generated from ../_async/login.py by scripts/generate_sync.py: edit that file instead.

"""The login of a service: a role that may act for callers, and without one may do nothing.

Claims are no wall against whoever runs SQL on a connection, if the role that logged in has rights
itself: RESET ROLE returns to it. This role has none, and is a member of `authenticated` alone.
"""

from __future__ import annotations

import secrets

import psycopg

from pgrecall._sync.session import Session, connected
from pgrecall.domain.login import LOGIN_ROLE, LoginReport
from pgrecall.errors import ConfigurationError
from pgrecall.sql.address import described, for_login
from pgrecall.sql.migration_failures import MissingRight, login_is_not_bare, may_not_create_login
from pgrecall.sql.migration_files import read_release

__all__ = ["create_login"]

_SHORTEST_PASSWORD = 12
_STAYS = "has from another role what this one can't change"


def create_login(dsn: str, *, password: str | None = None, role: str = LOGIN_ROLE) -> LoginReport:
    """Create the login of a service, or make an existing one what it should be.

    The server sees no password, only its SCRAM verifier. Without `password` a new role gets a
    generated one, of 192 random bits, and an existing one keeps its own. All or nothing is done.

    Raises MissingPrivilegeError if this connection may not, MigrationError if the role has rights
    that a login should not have, ConfigurationError for a password of less than 12 characters.
    """
    if password is not None and len(password) < _SHORTEST_PASSWORD:
        raise ConfigurationError(f"a password of less than {_SHORTEST_PASSWORD} characters is weak")
    with connected(dsn, "migrate") as session, session.connection.transaction():
        _refuse_rights(session, role)
        is_new = not (session.row("has_role", role=role))["has_role"]
        changes = _change_role(session, role)
        if is_new:
            _record(session, role)
        generated = secrets.token_urlsafe(24) if is_new and password is None else None
        if chosen := password or generated:
            _set_password(session, role, chosen)
        _refuse_rights(session, role)
        url = for_login(dsn, session.connection.info.dbname, role, generated)
    return LoginReport(
        database=described(dsn),
        role=role,
        is_new=is_new,
        changes=changes,
        password=generated,
        url=url,
    )


def _change_role(session: Session, role: str) -> tuple[str, ...]:
    """The statements that were needed."""
    done: list[str] = []
    while composed := session.compose("compose_login", role=role):
        if composed[0] in done:
            # It took no effect: somebody else has granted the same, and has to take it back.
            raise login_is_not_bare(role, [MissingRight(_STAYS, composed[0])])
        for change in composed:
            _change(session, role, change, shown=change)
        done += composed
    return tuple(done)


def _record(session: Session, role: str) -> None:
    answer = session.row("may_record_login")
    if answer["may_record"]:
        session.rows("record_login", role=role)


def _set_password(session: Session, role: str, password: str) -> None:
    verifier = session.connection.pgconn.encrypt_password(
        password.encode(), role.encode(), b"scram-sha-256"
    ).decode()
    for composed in session.compose("compose_login_password", role=role, verifier=verifier):
        _change(session, role, composed, shown=f"\\password {role}")


def _change(session: Session, role: str, composed: str, *, shown: str) -> None:
    try:
        session.execute(composed)
    except psycopg.errors.InsufficientPrivilege as error:
        raise may_not_create_login(role, error, shown) from error


def _refuse_rights(session: Session, role: str) -> None:
    tables = list(read_release().tables)
    found = session.rows("list_login_obstacles", role=role, tables=tables)
    if found:
        raise login_is_not_bare(role, [MissingRight(**row) for row in found])
