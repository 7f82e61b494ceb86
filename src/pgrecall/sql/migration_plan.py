"""What is to be applied: decided from the release, the ledger and the server's extensions."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from pgrecall.domain.migration import (
    AppliedMigration,
    MigrationFile,
    MigrationState,
    PendingMigration,
    Release,
)
from pgrecall.errors import EditedMigrationError, InvalidInputError, MigrationError

Ledger = Sequence[AppliedMigration]

NEVER_NEEDED = "0" * 64
"""The checksum of an upgrade in the ledger of a database that was made with what it changes."""


def compare(
    release: Release, ledger: Ledger, features: Collection[str]
) -> tuple[MigrationState, ...]:
    """Where every file stands; files of the ledger that are unknown here come last.

    The files of the install are pending together, since the later ones use what the first makes;
    a new database needs no upgrades.
    """
    applied = {row.name: row for row in ledger}
    is_installed = release.install[0].name in applied
    upgrades = [_upgrade(file, applied.get(file.name), is_installed) for file in release.upgrades]
    first = next((file.name for file in release.install if _reason(file, applied, features)), None)
    if any(state.state == "pending" for state in upgrades):
        first = first or release.upgrades[-1].name
    install = [_install(file, applied, features, first) for file in release.install]
    return (*upgrades, *install, *_unknown(release, applied))


def find_pending(
    release: Release,
    ledger: Ledger,
    features: Collection[str],
    accept: Collection[str] = (),
    *,
    repair: bool = False,
) -> tuple[PendingMigration, ...]:
    """The files to apply, in order; with `repair` all of the install.

    `accept` names edited upgrades whose new text is to be applied. Raises EditedMigrationError for
    one that is not accepted, MigrationError when a newer pgrecall has migrated the database,
    InvalidInputError when `accept` names no upgrade.
    """
    for name in set(accept) - {file.name for file in release.upgrades}:
        raise InvalidInputError(f"There is no upgrade {name!r} to accept.")
    _refuse_newer(release, ledger)
    states = compare(release, ledger, features)
    if unknown := [state.name for state in states if state.state == "unknown"]:
        raise _newer(f"it has {', '.join(unknown)}, which this version does not know")
    for state in states:
        if state.state == "edited" and state.name not in accept:
            raise _edited(state)
    upgrades = {file.name for file in release.upgrades}
    chosen = [
        PendingMigration(state.name, _reason_of(state))
        for state in states
        if state.state in ("pending", "edited") or (repair and state.name not in upgrades)
    ]
    if chosen and all(pending.name in upgrades for pending in chosen):
        chosen += [
            PendingMigration(file.name, f"it follows {chosen[0].name}") for file in release.install
        ]
    return tuple(chosen)


def has_lost_extension(then: Collection[str], now: Collection[str]) -> bool:
    """Whether an extension that the database had is not there any more."""
    return any(
        not then_feature.endswith(" available") and _find(name, now) in (None, "available")
        for then_feature in then
        for name in then_feature.split(" ")[:1]
    )


def _upgrade(
    file: MigrationFile, row: AppliedMigration | None, is_installed: bool
) -> MigrationState:
    if row is None:
        if is_installed:
            return MigrationState(file.name, "pending", "it is new here", None)
        return MigrationState(file.name, "applied", "a new database has what it changes", None)
    if row.checksum not in (file.checksum, NEVER_NEEDED):
        return MigrationState(file.name, "edited", "its text has changed since", row)
    return MigrationState(file.name, "applied", None, row)


def _install(
    file: MigrationFile,
    applied: dict[str, AppliedMigration],
    features: Collection[str],
    first: str | None,
) -> MigrationState:
    row = applied.get(file.name)
    reason = _reason(file, applied, features) or (f"it belongs to {first}" if first else None)
    extension = _changed_extension(row, features) if row else None
    return MigrationState(file.name, "pending" if reason else "applied", reason, row, extension)


def _reason(
    file: MigrationFile, applied: dict[str, AppliedMigration], features: Collection[str]
) -> str | None:
    row = applied.get(file.name)
    if row is None:
        return "it is new here"
    if row.checksum != file.checksum:
        return f"it was applied as release {row.release} has it"
    if extension := _changed_extension(row, features):
        then, now = _find(extension, row.features), _find(extension, features)
        return f"extension {extension} was {then or 'missing'}, now it is {now or 'missing'}"
    return None


def _changed_extension(row: AppliedMigration, features: Collection[str]) -> str | None:
    for extension in sorted({each.split(" ")[0] for each in (*row.features, *features)}):
        if _find(extension, row.features) != _find(extension, features):
            return extension
    return None


def _unknown(release: Release, applied: dict[str, AppliedMigration]) -> Iterator[MigrationState]:
    reason = "this version of pgrecall does not have it"
    for name in sorted(applied.keys() - {file.name for file in release.files}):
        yield MigrationState(name, "unknown", reason, applied[name])


def _reason_of(state: MigrationState) -> str:
    if state.state == "edited":
        return "its new text was accepted"
    return state.reason or "it is applied again"


def _find(extension: str, features: Collection[str]) -> str | None:
    """The version of an extension, or `available`; None where there is none."""
    return dict(feature.split(" ", 1) for feature in features).get(extension)


def _refuse_newer(release: Release, ledger: Ledger) -> None:
    newest = max((row.release for row in ledger), key=_numbers, default="0")
    if _numbers(newest) > _numbers(release.version):
        raise _newer(f"it is of release {newest}, and this is {release.version}")


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"[0-9]+(?:\.[0-9]+)*", version)
    return tuple(int(each) for each in found[0].split(".")) if found else ()


def _newer(evidence: str) -> MigrationError:
    return MigrationError(
        f"A newer pgrecall has migrated this database: {evidence}.",
        hint="pip install --upgrade pgrecall",
    )


def _edited(state: MigrationState) -> EditedMigrationError:
    return EditedMigrationError(
        f"{state.name} was applied to this database, and has been edited since.",
        hint="Restore the file. Or, if the new text is meant and safe to apply to what is there: "
        f"pgrecall migrate --accept {state.name}",
    )
