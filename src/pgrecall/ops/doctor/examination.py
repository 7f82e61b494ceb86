"""All checks, one after another: what one can't see, or breaks on, leaves the others alone."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

import psycopg

from pgrecall.domain.diagnosis import Diagnosis, Examination, Fact, Finding, Sign, Unseen
from pgrecall.errors import InvalidInputError
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.checks import CHECKS
from pgrecall.ops.doctor.database import CheckedDatabase, connected_database
from pgrecall.ops.doctor.surroundings import Surroundings
from pgrecall.sql.address import described

_NEEDS: tuple[tuple[type[Exception], str], ...] = (
    (psycopg.errors.InsufficientPrivilege, "a role with that right, such as the schema's owner"),
    (psycopg.errors.LockNotAvailable, "another try when the lock is free"),
    (psycopg.errors.UndefinedTable, "the migrations of this release: pgrecall migrate"),
    (psycopg.errors.UndefinedColumn, "the migrations of this release: pgrecall migrate"),
    (psycopg.errors.UndefinedFunction, "the schema as it was made: pgrecall migrate --repair"),
)


def examine(surroundings: Surroundings, only: Iterable[str] = ()) -> Diagnosis:
    """What the checks say of a database: those that `only` names, or all. Nothing is changed.

    A database that can't be reached is a finding, and no error. Raises InvalidInputError for a
    check that there is not.
    """
    checks = _chosen(tuple(only))
    with connected_database(surroundings) as database:
        made = tuple(_examine(check, database) for check in checks if _applies(check, database))
    return Diagnosis(described(surroundings.dsn), made)


def _chosen(names: tuple[str, ...]) -> list[Check[Any]]:
    known = [check.name for check in CHECKS]
    for name in names:
        if name not in known:
            raise InvalidInputError(
                f"there is no check {name!r}", hint=f"There are {', '.join(known)}."
            )
    return [check for check in CHECKS if not names or check.name in names]


def _applies(check: Check[Any], database: CheckedDatabase) -> bool:
    if check.needs == "nothing":
        return True
    if not database.is_connected:
        return False
    return check.needs == "database" or database.has_schema


def _examine(check: Check[Any], database: CheckedDatabase) -> Examination:
    began = time.monotonic()
    signs = _signs(check, database)
    return Examination(
        check=check.name,
        title=check.title,
        findings=tuple(sign for sign in signs if isinstance(sign, Finding)),
        unseen=tuple(sign for sign in signs if isinstance(sign, Unseen)),
        facts=tuple(sign.text for sign in signs if isinstance(sign, Fact)),
        seconds=time.monotonic() - began,
    )


def _signs(check: Check[Any], database: CheckedDatabase) -> tuple[Sign, ...]:
    transaction = database.transaction() if database.is_connected else nullcontext()
    try:
        with transaction:
            return check.examine(database)
    except psycopg.errors.QueryCanceled:
        seconds = database.surroundings.bounds.statement
        return (Unseen(check.title, f"more time than {seconds:g} s, by --statement-timeout"),)
    except Exception as error:  # noqa: BLE001 - whatever breaks one check, the others go on
        said = str(error).strip().partition("\n")[0] or type(error).__name__
        return (Unseen(f"{check.title}: {said}", _needs(error)),)


def _needs(error: Exception) -> str:
    """What would show what a check broke on."""
    for kind, needs in _NEEDS:
        if isinstance(error, kind):
            return needs
    return "a report of this as a bug of pgrecall's"
