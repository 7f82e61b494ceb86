"""What went wrong with a migration, in words: which object, which right, and what cures it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import psycopg

from pgrecall.domain.drift import Drift
from pgrecall.errors import DatabaseUnavailableError, MigrationError, MissingPrivilegeError


class MissingRight(NamedTuple):
    """What a role lacks, or has too much, and what cures it."""

    what: str
    cure: str


class LockHolder(NamedTuple):
    """A session that holds a lock on something that a migration needs."""

    locked: str
    mode: str
    pid: int | None
    application: str | None
    state: str | None
    since: str | None


def broken(name: str, error: psycopg.Error) -> DatabaseUnavailableError:
    """The connection ended while a file was being applied."""
    return DatabaseUnavailableError(
        f"The connection broke during {name}: {_first_line(error)}.",
        hint="The server rolls back what was not committed. Run the migrations again.",
    )


def lacks_rights(name: str, error: psycopg.Error) -> MissingPrivilegeError:
    """A right is missing that could not be asked for before."""
    hint = error.diag.message_hint or "Run the migrations as the owner of the database."
    return MissingPrivilegeError(_message(name, error), hint=hint)


def timed_out(name: str, error: psycopg.Error, holders: Sequence[LockHolder]) -> MigrationError:
    """Another session held a lock for longer than the runner waits."""
    waited = f"{name} did not get a lock within its lock_timeout and was rolled back."
    if not holders:
        return MigrationError(f"{waited}{_context(error)}", hint="Run the migrations again.")
    held = "; ".join(map(_describe_holder, holders))
    pids = sorted({holder.pid for holder in holders if holder.pid is not None})
    ends = " ".join(f"SELECT pg_terminate_backend({pid});" for pid in pids)
    return MigrationError(
        f"{waited} It may have waited for: {held}.",
        hint=f"Run the migrations again when they have ended, or end them: {ends}"
        if pids
        else "End what pg_prepared_xacts lists, and run the migrations again.",
    )


def failed(name: str, error: psycopg.Error) -> MigrationError:
    """Any other failure."""
    return MigrationError(f"{_message(name, error)}{_context(error)}", hint=error.diag.message_hint)


def drifted(name: str, error: psycopg.Error, drift: Sequence[Drift]) -> MigrationError:
    """A file failed on a schema that is not as earlier ones made it."""
    first = drift[0]
    return MigrationError(
        f"{_message(name, error)} {len(drift)} objects are not as the migrations made them, "
        f"such as {first.kind} {first.name}, which is {first.change}.",
        hint="pgrecall migrate --status names them all, each with its cure.",
    )


def refused(error: psycopg.Error) -> MigrationError:
    """The installation ended before it had changed anything, for the reason that it gives."""
    kind = MigrationError
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        kind = MissingPrivilegeError
    return kind(f"{_first_line(error)}.", hint=error.diag.message_hint)


def may_not_create_login(role: str, error: psycopg.Error, statement: str) -> MissingPrivilegeError:
    """The connected role may not do what a login needs."""
    return MissingPrivilegeError(
        f"{role} is not as it should be, and this connection may not change that: "
        f"{_first_line(error)}.",
        hint=f"As a superuser: {statement} Then run this again.",
    )


def login_is_not_bare(role: str, found: Sequence[MissingRight]) -> MigrationError:
    """A login has more than membership in authenticated; it is not ours to take away."""
    return MigrationError(
        f"{role} can't be the login of a service: it {', it '.join(each.what for each in found)}.",
        hint=" ".join(dict.fromkeys(each.cure for each in found)),
    )


def _message(name: str, error: psycopg.Error) -> str:
    detail = f" {error.diag.message_detail}" if error.diag.message_detail else ""
    return f"{name} failed and was rolled back: {_first_line(error)}.{detail}"


def _context(error: psycopg.Error) -> str:
    context = (error.diag.context or "").partition("\n")[0]
    return f" At: {context}" if context else ""


def _first_line(error: psycopg.Error) -> str:
    return (error.diag.message_primary or str(error)).partition("\n")[0].rstrip(".")


def _describe_holder(holder: LockHolder) -> str:
    who = f"process {holder.pid}" if holder.pid is not None else "a prepared transaction"
    name = f" ({holder.application})" if holder.application else ""
    state = f", {holder.state}" if holder.state else ""
    since = f" since {holder.since}" if holder.since else ""
    return f"{holder.locked}, {holder.mode} of {who}{name}{state}{since}"
