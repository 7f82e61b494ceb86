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


def lacks_rights(
    name: str, error: psycopg.Error, missing: Sequence[MissingRight]
) -> MissingPrivilegeError:
    """A right is missing. A hint of the server's is a migration's own, so it comes first."""
    message, hint = _message(name, error), error.diag.message_hint
    if hint or not missing:
        return MissingPrivilegeError(
            message, hint=hint or "Run the migrations as the owner of the database."
        )
    return MissingPrivilegeError(
        f"{message} This role lacks {missing[0].what}.", hint=missing[0].cure
    )


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


def wrong_encoding(name: str, encoding: str | None) -> MigrationError:
    """The database's encoding lacks a character of the file, so that its own check never ran."""
    return MigrationError(
        f"{name} failed: pgrecall needs a database in UTF8; this one is in {encoding}.",
        hint="CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0; "
        "and run the migrations there.",
    )


def failed(name: str, error: psycopg.Error, in_the_way: Sequence[str] = ()) -> MigrationError:
    """Any other failure; what bears the name of one of pgrecall's tables is the likely cause."""
    if in_the_way:
        return MigrationError(
            f"{_message(name, error)} In the way, and not pgrecall's: {', '.join(in_the_way)}.",
            hint="Rename it or move it to another schema, and run the migrations again.",
        )
    return MigrationError(f"{_message(name, error)}{_context(error)}", hint=error.diag.message_hint)


def drifted(name: str, error: psycopg.Error, drift: Sequence[Drift]) -> MigrationError:
    """A file failed on a schema that is not as earlier ones made it."""
    first = drift[0]
    return MigrationError(
        f"{_message(name, error)} {len(drift)} objects are not as the migrations made them, "
        f"such as {first.kind} {first.name}, which is {first.change}.",
        hint="pgrecall migrate --status names them all, each with its cure.",
    )


def names_are_taken(taken: Sequence[MissingRight]) -> MigrationError:
    """Somebody else's objects stand in the way of a first migration; nothing was done."""
    whats = ", ".join(_lower_first_words(each.what) for each in taken)
    return MigrationError(
        f"In the way, and not pgrecall's: {whats}. Nothing was changed.",
        hint="Rename it or move it to another schema, and run the migrations again: "
        + " ".join(each.cure for each in taken),
    )


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


def _lower_first_words(what: str) -> str:
    """`MATERIALIZED VIEW public.x` as it is said in a sentence."""
    kind, _, name = what.rpartition(" ") if "(" not in what else what.partition(" ")
    return f"{kind.lower()} {name}"


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
