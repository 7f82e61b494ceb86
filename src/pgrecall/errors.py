"""Everything pgrecall raises, in one tree.

    PgRecallError                      PM500
    ├── InvalidInputError              PM003   also ValueError
    │   ├── InvalidScopeError          PM006
    │   └── LimitExceededError         PM008
    ├── NoOrganizationError            PM001
    ├── PermissionDeniedError          PM002
    ├── NotFoundError                  PM004   also LookupError
    ├── EmbeddingMismatchError         PM005
    ├── ConflictError                  PM007
    ├── AuthenticationError            PM009
    ├── ConfigurationError             PM501
    │   └── MissingExtraError          PM502
    ├── EmbedderError                  PM503
    ├── EmbeddedServerError            PM510
    │   ├── DataDirectoryError         PM511
    │   ├── ServerStartError           PM512
    │   └── ArchiveError               PM513
    ├── DatabaseError                  PM520
    │   ├── DatabaseUnavailableError   PM521
    │   │   └── PoolTimeoutError       PM522
    │   └── SchemaMissingError         PM523
    ├── MigrationError                 PM530
    │   ├── EditedMigrationError       PM531
    │   └── MissingPrivilegeError      PM532
    ├── ClosedError                    PM540
    └── BackupError                    PM550
        └── DamagedBackupError         PM551

Codes below PM500 are SQLSTATEs that pgrecall's SQL functions raise themselves, so that every
client meets the same code; those from PM500 on exist in Python only.
"""

from __future__ import annotations

from typing import ClassVar


class PgRecallError(Exception):
    """The base of every error of pgrecall.

    `code` is stable across releases; `hint` says what to do next, or is None.
    """

    code: ClassVar[str] = "PM500"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nHint: {self.hint}" if self.hint else self.message


class InvalidInputError(PgRecallError, ValueError):
    """An argument is wrong; nothing was written.

    `item_code` is what an item of a list that is wrong in this way is answered with.
    """

    code = "PM003"

    def __init__(
        self, message: str, *, hint: str | None = None, item_code: str = "invalid_field"
    ) -> None:
        super().__init__(message, hint=hint)
        self.item_code = item_code


class InvalidScopeError(InvalidInputError):
    """A scope to forget or erase names nothing, or something unknown."""

    code = "PM006"


class LimitExceededError(InvalidInputError):
    """Text, metadata, a list or a query is larger than pgrecall takes."""

    code = "PM008"


class NoOrganizationError(PgRecallError):
    """No organization is active: no membership, or several and none named."""

    code = "PM001"


class PermissionDeniedError(PgRecallError):
    """The member's role or the memory's visibility does not allow this."""

    code = "PM002"


class NotFoundError(PgRecallError, LookupError):
    """No such memory or context, or none that the caller may see."""

    code = "PM004"


class EmbeddingMismatchError(PgRecallError):
    """The embedding's model or dimension is not the one that is stored."""

    code = "PM005"


class ConflictError(PgRecallError):
    """The stored state contradicts what was asked for."""

    code = "PM007"


class AuthenticationError(PgRecallError):
    """A token or key is not valid. The message never says why: `reason` does, for logs alone."""

    code = "PM009"

    def __init__(self, reason: str, *, hint: str | None = None) -> None:
        super().__init__("the token is not valid")
        self.reason = reason if hint is None else f"{reason} ({hint})"


class ConfigurationError(PgRecallError):
    """A setting is missing, malformed or dangerous."""

    code = "PM501"


class MissingExtraError(ConfigurationError):
    """An optional dependency is not installed."""

    code = "PM502"


class EmbedderError(PgRecallError):
    """The embedding model could not be loaded or did not answer as promised."""

    code = "PM503"


class EmbeddedServerError(PgRecallError):
    """The embedded PostgreSQL server can't do what was asked."""

    code = "PM510"


class DataDirectoryError(EmbeddedServerError):
    """The embedded server's directory is full, unwritable, foreign or of another version."""

    code = "PM511"


class ServerStartError(EmbeddedServerError):
    """The embedded server did not start; the message ends with its own last words."""

    code = "PM512"


class ArchiveError(EmbeddedServerError):
    """The archive for point-in-time recovery can't be written or read, or lacks what is needed."""

    code = "PM513"


class DatabaseError(PgRecallError):
    """PostgreSQL refused a statement for a reason that pgrecall has no class for."""

    code = "PM520"


class DatabaseUnavailableError(DatabaseError):
    """The database can't be reached, or the connection broke."""

    code = "PM521"


class PoolTimeoutError(DatabaseUnavailableError):
    """No connection of the pool became free in time."""

    code = "PM522"


class SchemaMissingError(DatabaseError):
    """The database lacks pgrecall's tables or functions, or has older ones."""

    code = "PM523"


class MigrationError(PgRecallError):
    """A migration could not be applied; the database is as it was before."""

    code = "PM530"


class EditedMigrationError(MigrationError):
    """A migration that was applied has been changed since."""

    code = "PM531"


class MissingPrivilegeError(MigrationError):
    """The connecting role lacks a right; the hint is the statement that grants it."""

    code = "PM532"


class ClosedError(PgRecallError):
    """The memory was closed and can't be used any more."""

    code = "PM540"


class BackupError(PgRecallError):
    """A backup can't be made, read or restored; what it was to be restored into is unchanged,
    or a rerun goes on with it."""

    code = "PM550"


class DamagedBackupError(BackupError):
    """A file is no backup, or a truncated or altered one; nothing was written."""

    code = "PM551"
