"""What is to be applied: decided from the files, the ledger and the server's extensions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from pgrecall.domain.migration import (
    AppliedMigration,
    MigrationFile,
    MigrationState,
    PendingMigration,
)
from pgrecall.errors import EditedMigrationError, InvalidInputError, MigrationError

Ledger = Sequence[AppliedMigration]


def watched_extensions(files: Sequence[MigrationFile]) -> list[str]:
    """The extensions that any of the files asks for."""
    return sorted({extension for file in files for extension in file.rerun_when})


def compare(
    files: Sequence[MigrationFile],
    ledger: Ledger,
    features: Collection[str],
    accept: Collection[str] = (),
) -> tuple[MigrationState, ...]:
    """Where every file stands; files of the ledger that are unknown here come last.

    `accept` names edited files whose new text is to be applied. Whatever comes after a file that
    is applied again is applied again, too, since it may replace what that file defines; a run
    that was interrupted in between is recognised by the times in the ledger.
    """
    applied = {row.name: row for row in ledger}
    states = list(_compare_known(files, applied, features, accept))
    known = {file.name for file in files}
    reason = "this version of pgrecall does not have it"
    unknown = sorted(applied.keys() - known)
    return (*states, *(MigrationState(name, "unknown", reason, applied[name]) for name in unknown))


def find_pending(
    files: Sequence[MigrationFile],
    ledger: Ledger,
    features: Collection[str],
    accept: Collection[str] = (),
) -> tuple[PendingMigration, ...]:
    """The files to apply, in order.

    Raises EditedMigrationError for an edited file that is not accepted, MigrationError when a
    newer pgrecall has migrated the database, InvalidInputError when `accept` names no file.
    """
    for name in set(accept) - {file.name for file in files}:
        raise InvalidInputError(f"There is no migration {name!r} to accept.")
    states = compare(files, ledger, features, accept)
    _refuse_unknown([state.name for state in states if state.state == "unknown"])
    for state in states:
        if state.state == "edited":
            raise _edited(state)
    return tuple(
        PendingMigration(state.name, state.reason or "")
        for state in states
        if state.state == "pending"
    )


def all_again(
    files: Sequence[MigrationFile], pending: Sequence[PendingMigration]
) -> tuple[PendingMigration, ...]:
    """Every file, for a repair."""
    reasons = {migration.name: migration.reason for migration in pending}
    return tuple(
        PendingMigration(file.name, reasons.get(file.name, "it is applied again")) for file in files
    )


def has_lost_extension(then: Collection[str], now: Collection[str]) -> bool:
    """Whether an extension that the database had is not there any more."""
    return any(
        not then_feature.endswith(" available") and _find(name, now) in (None, "available")
        for then_feature in then
        for name in then_feature.split(" ")[:1]
    )


def _compare_known(
    files: Sequence[MigrationFile],
    applied: dict[str, AppliedMigration],
    features: Collection[str],
    accept: Collection[str],
) -> Iterator[MigrationState]:
    again: str | None = None
    newest: AppliedMigration | None = None
    for file in files:
        row = applied.get(file.name)
        if row and row.checksum != file.checksum and file.name not in accept:
            yield MigrationState(file.name, "edited", "its text has changed since", row)
            continue
        if row and newest and row.applied_at < newest.applied_at:
            again = again or newest.name
        reason = _own_reason(file, row, features) or (f"it follows {again}" if again else None)
        if reason:
            again = again or file.name
        elif row:
            newest = row
        yield MigrationState(file.name, "pending" if reason else "applied", reason, row)


def _own_reason(
    file: MigrationFile, row: AppliedMigration | None, features: Collection[str]
) -> str | None:
    if row is None:
        return "it is new here"
    if row.checksum != file.checksum:
        return "its new text was accepted"
    for extension in file.rerun_when:
        then, now = _find(extension, row.features), _find(extension, features)
        if then != now:
            return f"extension {extension} was {then or 'missing'}, now it is {now or 'missing'}"
    return None


def _find(extension: str, features: Collection[str]) -> str | None:
    """The version of an extension, or `available`; None where there is none."""
    return dict(feature.split(" ", 1) for feature in features).get(extension)


def _refuse_unknown(names: Sequence[str]) -> None:
    if names:
        raise MigrationError(
            f"A newer pgrecall has migrated this database: it has {', '.join(names)}, "
            "which this version does not know.",
            hint="pip install --upgrade pgrecall",
        )


def _edited(state: MigrationState) -> EditedMigrationError:
    return EditedMigrationError(
        f"{state.name} was applied to this database, and has been edited since.",
        hint="Restore the file. Or, if the new text is meant and safe to apply to what is there: "
        f"pgrecall migrate --accept {state.name}",
    )
