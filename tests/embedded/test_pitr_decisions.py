"""Point-in-time recovery: what is decided without a server."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrecall.embedded.archive_command import archive_command, restore_command
from pgrecall.embedded.wal import (
    SEGMENT_BYTES,
    Segment,
    find_segment,
    lineage_of,
    list_outdated,
    list_reached,
    list_timelines,
    parse_position,
)
from pgrecall.errors import ArchiveError, ConflictError, InvalidInputError
from pgrecall.ops.pitr.archiver_log import words_before_failure
from pgrecall.ops.pitr.base_backup import BaseBackup
from pgrecall.ops.pitr.retention import Keep, first_needed, kept, parse_keep
from pgrecall.ops.pitr.self_hosted import decide
from pgrecall.ops.pitr.state import ArchiveFacts, trouble
from pgrecall.ops.pitr.target import (
    choose,
    live_timeline,
    parse_target,
    require_reached,
    written,
)
from pgrecall.ops.server_settings import ServerSetting

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HISTORY = "1\t0/5000148\tbefore 2026-11-23 10:15:00+00\n\n2\t0/7000000\tno recovery target\n"


def backup(number: int, *, days_ago: float = 0, timeline: int = 1) -> BaseBackup:
    finished = NOON - timedelta(days=days_ago)
    first = number * SEGMENT_BYTES + 40
    return BaseBackup(f"b{number}", finished, finished, timeline, first, first + 100, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23 10:15+00", "2026-11-23 10:15:00.000000+00"),
        ("2026-11-23T11:15:30.25+01:00", "2026-11-23 10:15:30.250000+00"),
        ("2026-11-23 04:15:00-0600", "2026-11-23 10:15:00.000000+00"),
        ("2026-11-23 10:15 UTC", "2026-11-23 10:15:00.000000+00"),
        (" 2026-11-23T10:15:00Z ", "2026-11-23 10:15:00.000000+00"),
    ],
)
def test_a_target_has_a_zone(text: str, expected: str) -> None:
    assert written(parse_target(text)) == expected


@pytest.mark.parametrize(
    "text", ["2026-11-23 10:15", "2026-11-23", "2026-11-23+00", "10:15+00", "yesterday", ""]
)
def test_a_target_without_day_time_or_zone_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_target(text)


def test_the_last_base_backup_before_the_target_is_taken() -> None:
    backups = [backup(2, days_ago=2), backup(4, days_ago=1), backup(6)]
    lineage = lineage_of(1, "")
    assert choose(backups, lineage, NOON - timedelta(hours=1)).name == "b4"
    assert choose(backups, lineage, NOON).name == "b6"
    with pytest.raises(InvalidInputError, match="before the first base backup"):
        choose(backups, lineage, NOON - timedelta(days=3))
    with pytest.raises(ArchiveError, match="no base backup"):
        choose([], lineage, NOON)


def test_a_base_backup_of_what_a_recovery_left_behind_is_not_taken() -> None:
    left_behind = backup(6, timeline=1)
    assert choose([backup(4, days_ago=1), left_behind], lineage_of(2, HISTORY), NOON).name == "b4"
    assert choose([left_behind], lineage_of(1, ""), NOON).name == "b6"


def test_a_target_must_be_before_the_last_archived_moment() -> None:
    require_reached(NOON - timedelta(microseconds=1), NOON)
    for target in (NOON, NOON + timedelta(hours=1)):
        with pytest.raises(InvalidInputError, match="last archived moment"):
            require_reached(target, NOON)


def test_a_target_is_on_the_timeline_that_was_live_then() -> None:
    beginnings = {2: NOON, 3: NOON + timedelta(hours=2)}
    assert live_timeline([1, 2, 3], beginnings, NOON - timedelta(hours=1)) == 1
    assert live_timeline([1, 2, 3], beginnings, NOON + timedelta(hours=1)) == 2
    assert live_timeline([1, 2, 3], beginnings, NOON + timedelta(hours=3)) == 3
    assert live_timeline([1, 2], {}, NOON) == 2


# 16 hexadecimal digits count segments of 16 MB: 2**32 times 256.
@given(st.integers(0, 2**40 - 1), st.integers(1, 2**32 - 1))
def test_names_of_the_log_lead_back_to_their_numbers(number: int, timeline: int) -> None:
    segment = Segment(number, timeline)
    assert find_segment(f"{segment.name}.gz") == segment


def test_names_of_the_log() -> None:
    assert Segment(255, 1).name == "0000000100000000000000FF"
    assert Segment(256, 10).name == "0000000A0000000100000000"
    assert parse_position("1/5000148") // SEGMENT_BYTES == 256 + 5
    assert find_segment("00000002.history.gz") is None
    assert list_timelines(["00000002.history", "0000000A.history.gz", "x"]) == [2, 10]


def test_the_log_is_followed_across_timelines_up_to_a_gap() -> None:
    lineage = lineage_of(3, HISTORY)
    here = [Segment(n, 1) for n in range(2, 8)] + [Segment(5, 2), Segment(6, 2), Segment(7, 3)]
    present = {each.name for each in [*here, Segment(9, 3)]}
    reached = list_reached(present, lineage, 3)
    assert [(each.number, each.timeline) for each in reached] == [
        (3, 1),
        (4, 1),
        (5, 2),
        (6, 2),
        (7, 3),
    ]
    assert lineage.holds(1, parse_position("0/5000148"))
    assert not lineage.holds(1, parse_position("0/5000149"))


def test_only_what_nobody_needs_is_outdated() -> None:
    names = [f"{Segment(n, 1).name}.gz" for n in range(2, 6)]
    names += [f"{Segment(3, 1).name}.00000028.backup.gz", "00000002.history.gz", "notes.txt"]
    assert list_outdated(names, 4) == sorted([*names[:2], names[4]])


@pytest.mark.parametrize(
    ("text", "expected"),
    [("7d", Keep(days=7)), ("30 days", None), ("1day", Keep(days=1)), ("3", Keep(count=3))],
)
def test_what_to_keep(text: str, expected: Keep | None) -> None:
    if expected is None:
        with pytest.raises(InvalidInputError):
            parse_keep(text)
    else:
        assert parse_keep(text) == expected


@pytest.mark.parametrize("text", ["0", "-1", "d", "7w", ""])
def test_keeping_nothing_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_keep(text)


def test_the_window_keeps_the_base_backup_before_it() -> None:
    backups = [backup(n, days_ago=10 - n) for n in range(10)]
    assert [each.name for each in kept(backups, Keep(days=3), NOON)] == ["b7", "b8", "b9"]
    assert [each.name for each in kept(backups, Keep(days=4), NOON)] == ["b6", "b7", "b8", "b9"]
    assert [each.name for each in kept(backups, Keep(count=2), NOON)] == ["b8", "b9"]
    assert first_needed(kept(backups, Keep(count=2), NOON)) == 8
    old = [backup(1, days_ago=100)]
    assert kept(old, Keep(days=3), NOON) == old
    assert kept([], Keep(days=3), NOON) == []


@given(
    st.lists(st.floats(0, 40), min_size=1, max_size=12),
    st.integers(1, 30),
    st.floats(0.001, 40),
)
def test_every_time_of_the_window_that_could_be_recovered_still_can(
    ages: list[float], days: int, asked: float
) -> None:
    backups = [backup(n, days_ago=age) for n, age in enumerate(ages)]
    target = NOON - timedelta(days=min(asked, days))
    staying = kept(backups, Keep(days=days), NOON)

    def best(of: list[BaseBackup]) -> datetime | None:
        return max((each.finished_at for each in of if each.finished_at <= target), default=None)

    assert best(staying) == best(backups)


WELL = ArchiveFacts(True, True, 10**10, "on", False, "")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (WELL, None),
        (ArchiveFacts(True, True, 10**10, None, False, ""), None),
        (ArchiveFacts(False, True, 10**10, "on", False, ""), "another database"),
        (ArchiveFacts(True, False, 10**10, "on", True, "x"), "not writable"),
        (ArchiveFacts(True, True, 10**10, "on", True, "No space left"), "failed: No space left"),
        (ArchiveFacts(True, True, 10**6, "on", False, ""), "1,000,000 bytes are free"),
        (ArchiveFacts(True, True, 10**10, "off", False, ""), "does not archive yet"),
    ],
)
def test_trouble(facts: ArchiveFacts, expected: str | None) -> None:
    found = trouble(facts)
    assert found is None if expected is None else expected in (found or "")


def test_the_command_s_own_words_are_found() -> None:
    lines = [
        "2026-11-24 17:00:00.000 UTC [1] LOG:  database system is ready",
        "gzip: stdout: No space left on device",
        "2026-11-24 17:00:01.000 UTC [1] LOG:  archive command failed with exit code 1",
        "2026-11-24 17:00:02.000 UTC [1] LOG:  something else",
    ]
    assert words_before_failure(lines) == "gzip: stdout: No space left on device"
    assert words_before_failure(lines[2:]) == "archive command failed with exit code 1"
    assert words_before_failure(lines[:2]) == ""


def run_as_server(command: str, file: Path, name: str) -> int:
    told = command.replace("%p", str(file)).replace("%f", name).replace("%%", "%")
    return subprocess.run(["sh", "-c", told], check=False, capture_output=True).returncode


@pytest.mark.parametrize("name", ["plain", "with 'quotes', 100% $HOME and spaces"])
def test_the_commands_file_away_once_and_fetch_back(tmp_path: Path, name: str) -> None:
    folder, file = tmp_path / name, tmp_path / "000000010000000000000001"
    folder.mkdir()
    file.write_bytes(b"log" * 1000)
    archive, fetched = archive_command(folder), tmp_path / "fetched"
    assert run_as_server(archive, file, file.name) == 0
    assert run_as_server(archive, file, file.name) == 0, "the same again is no failure"
    assert [each.name for each in folder.iterdir()] == [f"{file.name}.gz"]
    file.write_bytes(b"other" * 1000)
    assert run_as_server(archive, file, file.name) != 0, "nothing is overwritten"
    assert run_as_server(restore_command(folder), fetched, file.name) == 0
    assert fetched.read_bytes() == b"log" * 1000
    assert run_as_server(restore_command(folder), fetched, "000000010000000000000002") == 1


def test_what_was_never_filed_is_fetched_from_the_old_log(tmp_path: Path) -> None:
    (tmp_path / "wal").mkdir()
    (tmp_path / "pg wal").mkdir()
    (tmp_path / "pg wal" / "left").write_text("left over")
    command = restore_command(tmp_path / "wal", tmp_path / "pg wal")
    assert run_as_server(command, tmp_path / "fetched", "left") == 0
    assert (tmp_path / "fetched").read_text() == "left over"
    assert run_as_server(command, tmp_path / "fetched", "none") == 1


def test_a_part_of_a_killed_command_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "segment"
    file.write_bytes(b"whole" * 1000)
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "segment.part").write_bytes(b"ha")
    assert run_as_server(archive_command(folder), file, "segment") == 0
    assert run_as_server(restore_command(folder), tmp_path / "back", "segment") == 0
    assert (tmp_path / "back").read_bytes() == file.read_bytes()
    assert [each.name for each in folder.iterdir()] == ["segment.gz"]


def settings(**values: str) -> dict[str, ServerSetting]:
    return {
        name: ServerSetting(name, value, "", "sighup", "default", False)
        for name, value in values.items()
    }


def test_a_server_of_ones_own_is_set_only_what_it_lacks() -> None:
    fresh = settings(archive_mode="off", wal_level="minimal", archive_command="(disabled)")
    assert decide(fresh, "cmd", 60) == {
        "wal_level": "replica",
        "archive_mode": "on",
        "archive_command": "cmd",
        "archive_timeout": "60",
    }
    done = settings(
        archive_mode="on", wal_level="logical", archive_command="cmd", archive_timeout="60"
    )
    assert decide(done, "cmd", 60) == {}
    with pytest.raises(ConflictError, match="pgbackrest"):
        decide(settings(archive_mode="on", archive_command="pgbackrest archive-push"), "cmd", 60)
