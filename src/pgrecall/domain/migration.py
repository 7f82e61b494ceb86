"""What the migration runner speaks of: files, ledger rows, what is pending, what was done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pgrecall.domain.drift import Drift

State = Literal["applied", "pending", "edited", "unknown"]


@dataclass(frozen=True)
class MigrationFile:
    """One file of SQL, which records itself in the ledger when it was applied.

    `checksum` is the SHA-256, in hex, of the text before that statement, with Unix line endings;
    `release` is the version of pgrecall that it is of.
    """

    name: str
    text: str
    checksum: str
    release: str


@dataclass(frozen=True)
class Release:
    """What a release makes of a database.

    `install` are the files that make the whole schema, in order; they may be applied again, which
    brings functions, policies, comments and rights up to date and leaves tables as they are.
    `upgrades` are those that change the tables of earlier releases, once each. `tables` are all
    that there are, with their schema; `public_names` all that is made in schema public.
    """

    version: str
    install: tuple[MigrationFile, ...]
    upgrades: tuple[MigrationFile, ...]
    tables: tuple[str, ...]
    public_names: tuple[str, ...]

    @property
    def files(self) -> tuple[MigrationFile, ...]:
        """All files, in the order in which a run applies those that are pending."""
        return (*self.upgrades, *self.install)


@dataclass(frozen=True)
class AppliedMigration:
    """One row of the ledger: a file as it was when it was last applied.

    `checksum` is all zeros for an upgrade that a database never needed, since it was made with
    what the upgrade changes. `features` are the extensions that mattered, such as `vector 0.8.1`,
    or `vector available` where the server has it but the database does not.
    """

    name: str
    checksum: str
    release: str
    applied_at: datetime
    applied_by: str
    features: tuple[str, ...]


@dataclass(frozen=True)
class PendingMigration:
    """A file that the next run applies, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class MigrationReport:
    """What a run did: the files that it applied, in order, and what the server had to say.

    `database` says in words which one it is; `applied` is empty if all was up to date. `drift` is
    what a repair left for hands to do; no other run looks for it.
    """

    database: str
    applied: tuple[PendingMigration, ...]
    notices: tuple[str, ...]
    seconds: float
    drift: tuple[Drift, ...] = ()


@dataclass(frozen=True)
class MigrationPlan:
    """What a run would do, in order; nothing if all is up to date."""

    database: str
    pending: tuple[PendingMigration, ...]


@dataclass(frozen=True)
class MigrationState:
    """Where one file stands.

    `edited`: applied with another text than it has now. `unknown`: in the database's ledger, but
    not among the files, so a newer pgrecall was here. `reason` says why it is not just applied;
    `applied` is its row of the ledger; `extension` has come, gone or changed since.
    """

    name: str
    state: State
    reason: str | None
    applied: AppliedMigration | None
    extension: str | None = None


@dataclass(frozen=True)
class MigrationStatus:
    """Where every file stands, in order, and what is not as the files made it.

    `drift_unknown` says why the latter can't be told, else it is None.
    """

    database: str
    migrations: tuple[MigrationState, ...]
    drift: tuple[Drift, ...] = ()
    drift_unknown: str | None = None

    @property
    def is_applied(self) -> bool:
        """Whether a run would have nothing to do."""
        return all(migration.state == "applied" for migration in self.migrations)

    @property
    def is_current(self) -> bool:
        """Whether a run would have nothing to do, and the schema is known to be as it should."""
        is_faulty = any(drift.is_fault for drift in self.drift)
        return self.is_applied and not is_faulty and self.drift_unknown is None
