"""What the exit code of every command says, in one table."""

from __future__ import annotations

from pgrecall.errors import (
    AuthenticationError,
    ConfigurationError,
    ConflictError,
    DamagedBackupError,
    DatabaseUnavailableError,
    EmbeddedServerError,
    EmbeddingMismatchError,
    InvalidInputError,
    MigrationError,
    NoOrganizationError,
    NotFoundError,
    PermissionDeniedError,
    PgRecallError,
    SchemaMissingError,
)

DONE = 0
ERROR = 1
USAGE = 2
NOT_FOUND = 3
NOT_PERMITTED = 4
UNAVAILABLE = 5
NOT_MIGRATED = 6
CONFLICT = 7
DAMAGED = 8
FOUND_WARNING = 10
FOUND_ERROR = 11
FOUND_CRITICAL = 12
INTERRUPTED = 130
TERMINATED = 143

MEANINGS = {
    DONE: "done",
    ERROR: "any other error, an item that was rejected, a question that was declined",
    USAGE: "wrong options, arguments or settings",
    NOT_FOUND: "no such memory",
    NOT_PERMITTED: "not permitted, or no organization is active",
    UNAVAILABLE: "the database can't be reached, or the embedded server can't run",
    NOT_MIGRATED: "migrations are pending or failed, or the schema differs from theirs",
    CONFLICT: "the stored state contradicts what was asked for",
    DAMAGED: "a backup is truncated or altered, or the file is none",
    FOUND_WARNING: "doctor: the gravest finding is a warning",
    FOUND_ERROR: "doctor: the gravest finding is an error",
    FOUND_CRITICAL: "doctor: the gravest finding is critical",
    INTERRUPTED: "interrupted",
    TERMINATED: "terminated",
}

_CODE_OF: dict[type[PgRecallError], int] = {
    InvalidInputError: USAGE,
    ConfigurationError: USAGE,
    NotFoundError: NOT_FOUND,
    AuthenticationError: NOT_PERMITTED,
    PermissionDeniedError: NOT_PERMITTED,
    NoOrganizationError: NOT_PERMITTED,
    DatabaseUnavailableError: UNAVAILABLE,
    EmbeddedServerError: UNAVAILABLE,
    SchemaMissingError: NOT_MIGRATED,
    MigrationError: NOT_MIGRATED,
    ConflictError: CONFLICT,
    EmbeddingMismatchError: CONFLICT,
    DamagedBackupError: DAMAGED,
}


def exit_code(error: PgRecallError) -> int:
    """The code for an error: that of its nearest class in the table, else 1."""
    for ancestor in type(error).__mro__:
        if ancestor in _CODE_OF:
            return _CODE_OF[ancestor]
    return ERROR
