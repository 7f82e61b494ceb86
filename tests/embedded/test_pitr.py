"""Point-in-time recovery of the embedded server, on real ones."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from pgrecall import Memory, embedded
from pgrecall._sync.migrate import migrate
from pgrecall.embedded import swap
from pgrecall.embedded.account import account_for
from pgrecall.embedded.archiving import find_archiving, write_archiving
from pgrecall.embedded.layout import Layout
from pgrecall.errors import ArchiveError, EmbeddedServerError, InvalidInputError, ServerStartError
from pgrecall.ops import pitr
from pgrecall.ops.pitr.archiver import file_away
from pgrecall.ops.pitr.lock import archive_lock

PAUSE = 0.02
"""Longer than two clocks of one machine may differ, in seconds."""


def write(home: Path, *statements: str) -> datetime:
    """Run statements; a moment that is after all of them."""
    with embedded.join(home) as lease, psycopg.connect(lease.dsn, autocommit=True) as connection:
        return run(connection, *statements)


def run(connection: psycopg.Connection, *statements: str) -> datetime:
    for each in statements:
        connection.execute(each.encode())
    time.sleep(PAUSE)
    moment = datetime.now(UTC)
    time.sleep(PAUSE)
    return moment


def remove(home: Path) -> None:
    embedded.stop(home)
    shutil.rmtree(home)


def numbers(home: Path) -> list[int]:
    with embedded.join(home) as lease, psycopg.connect(lease.dsn) as connection:
        return [n for (n,) in connection.execute("select n from numbers order by n")]


def disaster(home: Path) -> datetime:
    """Ten rows; the moment after them; then more rows, and the table is dropped."""
    with embedded.join(home) as lease, psycopg.connect(lease.dsn, autocommit=True) as connection:
        create = "create table numbers as select generate_series(1, 10) as n"
        noted = run(connection, create)
        run(connection, "insert into numbers values (11)", "drop table numbers")
    return noted


@pytest.fixture(scope="module")
def archived_template(template: Path, workshop: Path) -> Path:
    """A stopped server's home with point-in-time recovery."""
    home = workshop / "archived"
    subprocess.run(["cp", "-a", template, home], check=True)
    pitr.enable(home)
    return home


@pytest.fixture
def enabled(archived_template: Path, tmp_path: Path) -> Iterator[Path]:
    home = tmp_path / "home"
    subprocess.run(["cp", "-a", archived_template, home], check=True)
    settled = find_archiving(Layout.of(home))
    assert settled is not None
    write_archiving(Layout.of(home), replace(settled, archive=home / "archive"))
    yield home
    remove(home)


def file_up_to_now(home: Path) -> None:
    settled = find_archiving(Layout.of(home))
    assert settled is not None
    with embedded.join(home) as lease:
        file_away(lease.dsn, settled, embedded.status(home).log_file)


def recover(home: Path, target: datetime, **options: object) -> pitr.Recovery:
    return pitr.recover(pitr.plan_recovery(home, target, **options))  # type: ignore[arg-type]


def test_recovery_gives_exactly_the_earlier_rows(own_home: Path, tmp_path: Path) -> None:
    archive = tmp_path / "on another disk, 100% safe"
    done = pitr.enable(own_home, archive, pitr.parse_keep("3"))
    assert done.restarted
    assert not embedded.status(own_home).is_running
    noted = disaster(own_home)
    found = recover(own_home, noted)
    assert numbers(own_home) == list(range(1, 11))
    assert found.last_transaction_at is not None
    assert found.last_transaction_at < noted
    assert found.aside is not None
    assert (found.aside / "PG_VERSION").exists()
    assert not (own_home / "recovery").exists()
    status = pitr.status(own_home)
    assert (status.is_on, status.trouble, status.aside) == (True, None, (found.aside,))
    assert status.archive == archive
    data, outside = (own_home / "data").stat(), archive.stat()
    assert data.st_uid == outside.st_uid == account_for(own_home).uid
    assert (data.st_mode & 0o777, outside.st_mode & 0o777) == (0o700, 0o700)


def test_recovery_leads_again_and_back_and_forth(enabled: Path) -> None:
    noted = disaster(enabled)
    lost = write(enabled, "create table numbers (n int)", "insert into numbers values (99)")
    recover(enabled, noted)
    later = write(enabled, "insert into numbers values (50)")
    pitr.make_base_backup(enabled)
    write(enabled, "insert into numbers values (51)")
    recover(enabled, later)
    assert numbers(enabled) == [*range(1, 11), 50]
    # What the first recovery left behind is still what the database was at that time.
    recover(enabled, lost)
    assert numbers(enabled) == [99]
    assert pitr.status(enabled).trouble is None


def contents(home: Path) -> list[str]:
    with embedded.join(home) as lease, open_memory(lease.dsn) as memory:
        return sorted(each.content for each in memory.list(limit=100).items)


def open_memory(dsn: str) -> Memory:
    return Memory(dsn, organization="acme", agent_id="helper", embedder=None)


def test_what_was_erased_since_stays_erased(enabled: Path, tmp_path: Path) -> None:
    with embedded.join(enabled) as lease:
        migrate(lease.dsn)
    with embedded.join(enabled) as lease, open_memory(lease.dsn) as memory:
        memory.remember("Maria's canary sings", user_id="maria", context="talk")
        memory.remember("What Tom said beside it", user_id="tom", context="talk")
        [erased_by_id] = memory.remember("A canary by its id").ids
        noted = run(psycopg.connect(lease.dsn, autocommit=True))
        memory.erase(user_id="maria")
        memory.erase([erased_by_id])
        memory.remember("Maria is back", user_id="maria")

    beside = recover(enabled, noted, into=tmp_path / "beside")
    assert beside.erased_again == 2
    assert contents(beside.home) == ["What Tom said beside it"]

    found = recover(enabled, noted)
    assert found.erased_again == 2
    assert contents(enabled) == ["What Tom said beside it"]
    with embedded.join(enabled) as lease, psycopg.connect(lease.dsn) as connection:
        for table in ("ai_memories", "agent_memory.history", "ai_memory_contexts"):
            held = connection.execute(f"select count(*) from {table} as t where t::text ~ 'canar'")
            assert held.fetchone() == (0,), table
        kept = connection.execute("select count(*) from agent_memory.erasures").fetchone()
        assert kept == (2,)

    # Its log was filed away: the new timeline leads on, from the base backup of before.
    with embedded.join(enabled) as lease, open_memory(lease.dsn) as memory:
        memory.remember("Maria again", user_id="maria")
        later = run(psycopg.connect(lease.dsn, autocommit=True))
        memory.remember("A mistake")
    found = recover(enabled, later)
    assert found.erased_again == 0
    assert contents(enabled) == ["Maria again", "What Tom said beside it"]


def test_without_a_record_of_erasures_nobody_can_tell(enabled: Path) -> None:
    found = recover(enabled, disaster(enabled))
    assert found.erased_again is None


def test_recovery_beside_leaves_the_server_as_it_is(enabled: Path, tmp_path: Path) -> None:
    noted = disaster(enabled)
    beside = tmp_path / "beside"
    found = recover(enabled, noted, into=beside)
    assert (found.home, found.aside) == (beside, None)
    assert numbers(beside) == list(range(1, 11))
    assert not pitr.status(beside).is_on
    with pytest.raises(psycopg.errors.UndefinedTable):
        numbers(enabled)
    assert pitr.status(enabled).trouble is None
    with pytest.raises(InvalidInputError, match="not empty"):
        recover(enabled, noted, into=beside)
    embedded.stop(beside)


def test_users_and_a_kept_server_go_on_after_it(enabled: Path) -> None:
    noted = disaster(enabled)
    embedded.start(enabled)
    with embedded.join(enabled):
        recover(enabled, noted)
        assert embedded.status(enabled).is_running
        assert embedded.status(enabled).is_kept
    assert numbers(enabled) == list(range(1, 11))


def test_targets_out_of_reach_are_refused(enabled: Path) -> None:
    noted = disaster(enabled)
    first = pitr.status(enabled).first_moment
    assert first is not None
    with pytest.raises(InvalidInputError, match="before the first base backup"):
        pitr.plan_recovery(enabled, first - timedelta(seconds=1))
    with pytest.raises(InvalidInputError, match="not before the last archived moment"):
        pitr.plan_recovery(enabled, datetime.now(UTC) + timedelta(seconds=60))
    plan = pitr.plan_recovery(enabled, noted)
    assert "move" in plan.steps[-1]
    assert not (enabled / "recovery").exists()


def test_without_an_archive_there_is_nothing_to_recover(own_home: Path) -> None:
    with pytest.raises(ArchiveError, match="never switched on"):
        pitr.plan_recovery(own_home, datetime.now(UTC))
    with pytest.raises(ArchiveError, match="is off"):
        pitr.make_base_backup(own_home)
    assert not pitr.status(own_home).is_on
    assert pitr.disable(own_home) is False


def test_a_lost_home_is_recovered_from_its_archive(own_home: Path, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    pitr.enable(own_home, archive)
    noted = disaster(own_home)
    shutil.rmtree(own_home)
    recover(own_home, noted, archive=archive)
    assert numbers(own_home) == list(range(1, 11))
    with pytest.raises(ArchiveError, match="no archive"):
        pitr.plan_recovery(own_home, noted, archive=tmp_path)


def test_a_server_that_can_not_start_gives_its_last_log(enabled: Path, kill) -> None:
    """What was not filed away yet is still in the old data directory's log."""
    embedded.start(enabled)
    noted = disaster(enabled)
    kill(embedded.status(enabled).pid)
    with (enabled / "data" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    with pytest.raises(ServerStartError):
        embedded.join(enabled)
    plan = pitr.plan_recovery(enabled, noted)
    assert plan.left_over == enabled / "data" / "pg_wal"
    pitr.recover(plan)
    assert numbers(enabled) == list(range(1, 11))


def test_a_damaged_base_backup_is_noticed_before_anything_changes(enabled: Path) -> None:
    noted = disaster(enabled)
    [base] = (enabled / "archive" / "base").iterdir()
    file = next(each for each in (base / "data" / "base").rglob("*") if each.is_file())
    content = bytearray(file.read_bytes() or b"x")
    content[0] ^= 1
    file.write_bytes(content)
    with pytest.raises(ServerStartError, match="is damaged"):
        recover(enabled, noted)
    assert not (enabled / "recovery").exists()
    assert not list(enabled.glob("data.before-*"))


def test_old_base_backups_and_their_log_go(own_home: Path) -> None:
    pitr.enable(own_home, keep=pitr.parse_keep("2"))
    first = pitr.status(own_home).base_backups[0]
    write(own_home, "create table numbers (n int)", "insert into numbers values (1)")
    second = pitr.make_base_backup(own_home)
    assert second.removed == ()
    noted = write(own_home, "insert into numbers values (2)")
    third = pitr.make_base_backup(own_home)
    assert third.removed == (first.name,)
    assert third.removed_log > 0
    assert [each.name for each in pitr.status(own_home).base_backups] == [
        second.made.name,
        third.made.name,
    ]
    recover(own_home, noted)
    assert numbers(own_home) == [1, 2]


def test_off_means_off(enabled: Path) -> None:
    noted = disaster(enabled)
    assert pitr.disable(enabled) is True
    assert pitr.disable(enabled) is False
    embedded.join(enabled).release()
    assert "archive_mode" not in (enabled / "data" / "pgrecall.conf").read_text()
    assert pitr.status(enabled).is_on is False
    recover(enabled, noted)
    assert numbers(enabled) == list(range(1, 11))


def test_another_database_does_not_write_into_the_archive(enabled: Path) -> None:
    noted = disaster(enabled)
    shutil.rmtree(enabled / "data")
    write(enabled, "create table numbers (n int)")
    assert "another database" in (pitr.status(enabled).trouble or "")
    with pytest.raises(ArchiveError, match="another database's archive"):
        pitr.enable(enabled)
    recover(enabled, noted)
    assert numbers(enabled) == list(range(1, 11))
    assert pitr.status(enabled).trouble is None


def test_a_folder_with_something_else_is_refused(own_home: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(ArchiveError, match="something else"):
        pitr.enable(own_home, tmp_path / "mine")
    assert not pitr.status(own_home).is_on
    assert (tmp_path / "mine").stat().st_uid == os.geteuid()


@pytest.fixture
def closed(enabled: Path) -> Iterator[Path]:
    """The archive's log takes nothing more."""
    wal = enabled / "archive" / "wal"
    wal.chmod(0o500)
    yield wal
    wal.chmod(0o700)


def test_an_unwritable_archive_is_told(enabled: Path, closed: Path) -> None:
    noted = disaster(enabled)
    assert "not writable" in (pitr.status(enabled).trouble or "")
    assert pitr.status(enabled).waiting > 0
    with pytest.raises(ArchiveError, match="Permission denied"):
        file_up_to_now(enabled)
    closed.chmod(0o700)
    file_up_to_now(enabled)
    assert pitr.status(enabled).trouble is None
    recover(enabled, noted)
    assert numbers(enabled) == list(range(1, 11))


def test_what_an_unwritable_archive_did_not_take_is_recovered(enabled: Path, closed: Path) -> None:
    noted = disaster(enabled)
    recover(enabled, noted)
    assert numbers(enabled) == list(range(1, 11))


def test_enabling_into_a_full_archive_changes_nothing(
    own_home: Path, tmpfs: Callable[..., Path]
) -> None:
    full = tmpfs("size=1m,mode=0755") / "archive"
    with pytest.raises(EmbeddedServerError, match=r"disk is full|No space left"):
        pitr.enable(own_home, full)
    assert not pitr.status(own_home).is_on
    write(own_home, "create table numbers (n int)")


def test_an_archive_that_has_filled_up_is_told(own_home: Path, tmpfs: Callable[..., Path]) -> None:
    place = tmpfs("size=200m,mode=0755")
    pitr.enable(own_home, place / "archive")
    with suppress(OSError), (place / "ballast").open("wb", buffering=0) as file:
        while file.write(b"\1" * 65_536):
            pass
    with embedded.join(own_home):
        with pytest.raises(ArchiveError, match="No space left"):
            file_up_to_now(own_home)
        assert "No space left" in (pitr.status(own_home).trouble or "")
        (place / "ballast").unlink()
        file_up_to_now(own_home)
        assert pitr.status(own_home).trouble is None


def test_one_at_a_time(enabled: Path) -> None:
    noted = disaster(enabled)
    plan = pitr.plan_recovery(enabled, noted)
    with archive_lock(Layout.of(enabled)):
        with pytest.raises(ArchiveError, match="Another process"):
            pitr.make_base_backup(enabled)
        with pytest.raises(ArchiveError, match="Another process"):
            pitr.recover(plan)


def test_a_swap_that_was_begun_is_finished_by_the_next_start(own_home: Path) -> None:
    write(own_home, "create table numbers (n int)", "insert into numbers values (7)")
    layout = Layout.of(own_home)
    (own_home / "data").rename(own_home / "new")
    subprocess.run(["cp", "-a", own_home / "new", own_home / "data"], check=True)
    (own_home / "swap").write_text('{"new": "new", "aside": "old"}')
    (own_home / "data").rename(own_home / "old")
    assert numbers(own_home) == [7], "not a new, empty database"
    assert not (own_home / "swap").exists()
    swap.finish(layout)
    assert (own_home / "old").is_dir()


RECOVER = """
import sys
from datetime import datetime
from pathlib import Path
from pgrecall.ops import pitr
home, target = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
pitr.recover(pitr.plan_recovery(home, target), lambda step: print(step, flush=True))
print("done", flush=True)
"""


def test_killed_at_any_point_it_is_completed_by_a_rerun(enabled: Path, python) -> None:
    """Ten kills; until the recovered data is in place, the old one is there and whole."""
    noted = write(enabled, "create table numbers (n int)", "insert into numbers values (1)")
    write(enabled, "insert into numbers values (2)")
    began = time.monotonic()
    pitr.recover(pitr.plan_recovery(enabled, noted))
    whole = time.monotonic() - began
    recovered_at = write(enabled, "insert into numbers values (3)")
    write(enabled, "insert into numbers values (4)")
    chance = random.Random(5)
    for kill in range(10):
        process = python(RECOVER, enabled, recovered_at.isoformat())
        time.sleep(whole * (kill + chance.random()) / 10)
        process.kill()
        process.wait()
        assert numbers(enabled) in ([1, 3, 4], [1, 3])
    recover(enabled, recovered_at)
    assert numbers(enabled) == [1, 3]
    assert not (enabled / "recovery").exists()
    assert pitr.status(enabled).trouble is None
