"""PostgreSQL's errors as pgrecall's: the one table from SQLSTATE to class.

The server's message and hint are kept. A connection string never gets into a message, since it
may hold a password.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from pgrecall.errors import (
    DatabaseError,
    DatabaseUnavailableError,
    InvalidInputError,
    LimitExceededError,
    PermissionDeniedError,
    PgRecallError,
    SchemaMissingError,
)

RETRYABLE = frozenset({"40001", "40P01"})
MIGRATE_HINT = "Run `pgrecall migrate`."

# Whole codes first, then their classes (the first two or three characters).
_CLASSES: dict[str, type[PgRecallError]] = {
    "3F000": SchemaMissingError,
    "42P01": SchemaMissingError,
    "42703": SchemaMissingError,
    "42704": SchemaMissingError,
    "42883": SchemaMissingError,
    "42501": PermissionDeniedError,
    "3D000": DatabaseUnavailableError,
    "53300": DatabaseUnavailableError,
    "28": DatabaseUnavailableError,
    "08": DatabaseUnavailableError,
    "57P": DatabaseUnavailableError,
    "54": LimitExceededError,
    "22": InvalidInputError,
}
_HINTS = {
    "25006": "This database takes no writes: it is a replica, or set to read only.",
    "57014": "PGRECALL_STATEMENT_TIMEOUT sets how many seconds a statement may take.",
}


@contextmanager
def translated() -> Iterator[None]:
    """Raises psycopg's errors inside the block as pgrecall's."""
    try:
        yield
    except psycopg.Error as error:
        raise failure(error) from error


def failure(error: psycopg.Error) -> PgRecallError:
    """The error of pgrecall that an error of psycopg stands for."""
    state = error.sqlstate
    if state is None:
        return _without_state(error)
    message = error.diag.message_primary or str(error)
    hint = error.diag.message_hint or _HINTS.get(state)
    found = _own_classes().get(state) or _class_of(state)
    if found is SchemaMissingError:
        return SchemaMissingError(f"pgrecall's schema is not here: {message}", hint=MIGRATE_HINT)
    if found is DatabaseError:
        return DatabaseError(f"{message} (SQLSTATE {state})", hint=hint)
    return found(message, hint=hint)


def transaction_failure(error: psycopg.Error, *, is_read: bool) -> PgRecallError:
    """The error of a transaction; of one that writes it says if its end is unknown."""
    if is_read or not is_lost(error):
        return failure(error)
    return DatabaseUnavailableError(
        f"the connection broke before the database confirmed the change: {error}".strip(),
        hint="It may have been stored or not. With an idempotency_key it can be sent again.",
    )


def _without_state(error: psycopg.Error) -> PgRecallError:
    said = str(error).strip() or type(error).__name__
    if isinstance(error, psycopg.OperationalError):
        return DatabaseUnavailableError(
            said, hint="Is the server running, and is this its address?"
        )
    if isinstance(error, psycopg.DataError):
        return InvalidInputError(said)
    return DatabaseError(said)


def _class_of(state: str) -> type[PgRecallError]:
    for length in (5, 3, 2):
        found = _CLASSES.get(state[:length])
        if found is not None:
            return found
    return DatabaseError


def _own_classes() -> dict[str, type[PgRecallError]]:
    """The classes whose code is a SQLSTATE that pgrecall's functions raise."""
    found: dict[str, type[PgRecallError]] = {}
    waiting: list[type[PgRecallError]] = [PgRecallError]
    while waiting:
        each = waiting.pop()
        waiting.extend(each.__subclasses__())
        if each.code < "PM500":
            found[each.code] = each
    return found


def is_lost(error: psycopg.Error) -> bool:
    """Whether the connection broke, or could not be made."""
    return isinstance(error, psycopg.OperationalError) and (
        error.sqlstate is None or error.sqlstate.startswith(("08", "57P"))
    )


def is_worth_retrying(error: psycopg.Error, *, is_read: bool) -> bool:
    """Whether the transaction, which was rolled back, may succeed when it is run again.

    A broken connection is worth it for reading only: whether a write was committed is not known.
    """
    return error.sqlstate in RETRYABLE or (is_read and is_lost(error))
