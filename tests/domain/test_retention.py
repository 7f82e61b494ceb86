"""Which backups are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from pgrecall.domain.identity import organization_uuid
from pgrecall.domain.retention import (
    BackupRetention,
    database_backup_name,
    named_backups,
    organization_backup_name,
)

END = datetime(2026, 11, 24, 3, 15, tzinfo=UTC)
ACME = organization_uuid("acme")
Times = st.lists(st.integers(0, 800 * 24), min_size=1, max_size=80, unique=True)


def nightly(days: int, of: str = "acme") -> list[str]:
    nights = (END - timedelta(days=day) for day in range(days))
    return [made(of, at) for at in nights]


def made(of: str, at: datetime) -> str:
    return organization_backup_name(organization_uuid(of), of, at, is_encrypted=False)


def test_names_are_read_as_they_are_written() -> None:
    others = [
        "notes.txt",
        "acme.tar",
        "acme-20261124T031500Z.tar",
        f"x-{ACME}-20269999T000000Z.tar",
    ]
    for of in ("acme", "a-b 1/../x", "", "n" * 200, f"acme-{UUID(int=1)}"):
        name = organization_backup_name(ACME, of, END, is_encrypted=True)
        [found] = named_backups([name, *others])
        assert (found.name, found.organization_id, found.at) == (name, ACME, END)
        assert "/" not in name
        assert len(f"{name}.unfinished") < 255
    name = database_backup_name(END, is_encrypted=False)
    assert name == "database-20261124T031500Z.dump"
    [found] = named_backups([name, *others])
    assert (found.organization_id, found.at) == (None, END)


def test_days_weeks_and_months() -> None:
    found = BackupRetention(7, 4, 12).kept(named_backups(nightly(800)))
    days = sorted(found, reverse=True)
    assert days[:7] == nightly(7)
    # The Sundays of the three weeks before, and the last days of eleven months.
    assert {at[:8] for name in days[7:] for at in [name.removeprefix(f"acme-{ACME}-")]} == {
        "20261115", "20261108", "20261031", "20260930", "20260831", "20260731", "20260630",
        "20260531", "20260430", "20260331", "20260228", "20260131", "20251231",
    }  # fmt: skip


def test_each_organization_has_its_own() -> None:
    # Their names are alike as files have them, and one is called as the whole database is.
    owners = ("a b", "a/b", "database")
    dumps = [database_backup_name(END + timedelta(days=1), is_encrypted=False)]
    backups = named_backups([*dumps, *(name for of in owners for name in nightly(30, of))])
    found = BackupRetention(2, 0, 0).kept(backups)
    assert found == {*dumps, *(name for of in owners for name in nightly(2, of))}


@given(Times, st.integers(0, 10), st.integers(0, 10), st.integers(0, 10))
def test_the_newest_stays_and_pruning_again_changes_nothing(
    hours: list[int], daily: int, weekly: int, monthly: int
) -> None:
    times = [END - timedelta(hours=hour) for hour in hours]
    backups = named_backups(made("x", at) for at in times)
    retention = BackupRetention(daily, weekly, monthly)
    found = retention.kept(backups)
    assert backups[0].name in found
    assert len(found) <= max(1, daily + weekly + monthly)
    assert retention.kept(each for each in backups if each.name in found) == found
