"""Which backups are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pgrecall.domain.retention import Retention, backup_name, kept, named_backups

END = datetime(2026, 11, 24, 3, 15, tzinfo=UTC)
Times = st.lists(st.integers(0, 800 * 24), min_size=1, max_size=80, unique=True)


def nightly(days: int, of: str = "acme") -> list[str]:
    nights = (END - timedelta(days=day) for day in range(days))
    return [backup_name(of, at, "tar", is_encrypted=False) for at in nights]


def test_names_are_read_as_they_are_written() -> None:
    for of, kind, sealed in (("acme", "tar", False), ("a-b 1/../x", "dump", True)):
        name = backup_name(of, END, kind, is_encrypted=sealed)
        [found] = named_backups([name, "notes.txt", "acme-20269999T000000Z.tar", "acme.tar"])
        assert (found.name, found.at) == (name, END)
        assert "/" not in name
    assert backup_name("acme", END, "tar", is_encrypted=True) == "acme-20261124T031500Z.tar.age"


def test_days_weeks_and_months() -> None:
    found = kept(named_backups(nightly(800)), Retention(7, 4, 12))
    days = sorted(found, reverse=True)
    assert days[:7] == nightly(7)
    # The Sundays of the three weeks before, and the last days of eleven months.
    assert {name[5:13] for name in days[7:]} == {
        "20261115", "20261108", "20261031", "20260930", "20260831", "20260731", "20260630",
        "20260531", "20260430", "20260331", "20260228", "20260131", "20251231",
    }  # fmt: skip


def test_each_organization_has_its_own() -> None:
    found = kept(named_backups([*nightly(30, "a"), *nightly(3, "b")]), Retention(2, 0, 0))
    assert found == {*nightly(2, "a"), *nightly(2, "b")}


@given(Times, st.integers(0, 10), st.integers(0, 10), st.integers(0, 10))
def test_the_newest_stays_and_pruning_again_changes_nothing(
    hours: list[int], daily: int, weekly: int, monthly: int
) -> None:
    times = [END - timedelta(hours=hour) for hour in hours]
    backups = named_backups(backup_name("x", at, "tar", is_encrypted=False) for at in times)
    retention = Retention(daily, weekly, monthly)
    found = kept(backups, retention)
    assert backups[0].name in found
    assert len(found) <= max(1, daily + weekly + monthly)
    assert kept([each for each in backups if each.name in found], retention) == found
