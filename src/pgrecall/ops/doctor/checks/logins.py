"""Whoever runs SQL on a connection can leave the role that was set for a caller (`RESET ROLE`), and
then is the role that logged in. A superuser, or a role with `BYPASSRLS`, then reads every
organization; so an application logs in as a role that can do nothing by itself. This check looks at
the user of `DATABASE_URL`, at `pgrecall_app` where there is one, and at the roles of pgrecall's
sessions. The embedded server is its owner's alone, who is a superuser there by design.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pgrecall.domain.diagnosis import Finding, Sign, Unseen, command, sql
from pgrecall.domain.login import LOGIN_ROLE
from pgrecall.errors import ConfigurationError
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.database import CheckedDatabase
from pgrecall.sql.address import parameters

_CREATE = "pgrecall migrate --create-login"


@dataclass(frozen=True)
class Login:
    """A role that an application logs in as."""

    name: str
    is_superuser: bool
    bypasses_rls: bool
    sessions: int


@dataclass(frozen=True)
class LoginFacts:
    """The logins, unless the server is embedded; `sees_sessions` whether others' are known."""

    logins: Sequence[Login]
    sees_sessions: bool


def read(database: CheckedDatabase) -> LoginFacts:
    """The roles that applications use here."""
    if database.surroundings.is_embedded:
        return LoginFacts((), True)
    named = [LOGIN_ROLE, *_user_of_the_setting(database)]
    rows = database.rows("doctor_logins", named=named)
    return LoginFacts([Login(**row) for row in rows], database.outlook.sees_sessions)


def judge(facts: LoginFacts) -> Iterator[Sign]:
    """Those who see more than their callers."""
    for login in facts.logins:
        if not (login.is_superuser or login.bypasses_rls):
            continue
        what = "a superuser" if login.is_superuser else "BYPASSRLS"
        used = f", and {login.sessions} of pgrecall's sessions are its" if login.sessions else ""
        cure = (
            command(_CREATE)
            if login.is_superuser and login.name != LOGIN_ROLE
            else sql(f'ALTER ROLE "{login.name}" NOSUPERUSER NOBYPASSRLS;')
        )
        yield Finding("warning", f"login {login.name}", f"it is {what}{used}", cure)
    if not facts.sees_sessions:
        yield Unseen("which roles applications are logged in as", "membership in pg_read_all_stats")


def _user_of_the_setting(database: CheckedDatabase) -> list[str]:
    """Of DATABASE_URL, if that is the database which is looked at."""
    written = database.surroundings.environment.get("DATABASE_URL")
    try:
        setting = parameters(written) if written else {}
    except ConfigurationError:
        return []
    asked = parameters(database.surroundings.dsn)
    is_same = all(setting.get(part) == asked.get(part) for part in ("host", "port", "dbname"))
    return [setting["user"]] if setting.get("user") and is_same else []


CHECK = Check("logins", "Applications' logins", read, judge, needs="database")
