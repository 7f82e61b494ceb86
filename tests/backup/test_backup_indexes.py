"""A large restore or import builds the indexes of search after its rows, and never loses one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgrecall import Memory
from pgrecall.errors import BackupError
from pgrecall.ops.backup import indexes
from pgrecall.ops.backup.dump import back_up_database, restore_database
from pgrecall.ops.backup.restore import restore
from pgrecall.testing import HashingEmbedder
from tests.backup.conftest import ORGANIZATION, checksums, fill
from tests.backup.test_backup_dump import require_tools

# Fewer memories than are backed up, and more than are in the database before.
EXACT_LIMIT = 20


def search_indexes(dsn: str) -> dict[str, tuple[int, str]]:
    """The oid and the definition of each index of search."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "select i.indexrelid::regclass::text, i.indexrelid::bigint,"
            " pg_get_indexdef(i.indexrelid) from pg_index i join pg_class c on c.oid = i.indexrelid"
            " join pg_am a on a.oid = c.relam where a.amname in ('gin', 'hnsw') and i.indisvalid"
        ).fetchall()
    return {name: (oid, definition) for name, oid, definition in rows}


def definitions(dsn: str) -> dict[str, str]:
    return {name: definition for name, (_, definition) in search_indexes(dsn).items()}


def unbuilt(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "select sum(cardinality(unbuilt_indexes)) from agent_memory.backups"
        ).fetchall()
    return int(rows[0][0])


@pytest.fixture
def target(elsewhere: str) -> str:
    """An empty database in which a small organization is a large one."""
    with psycopg.connect(elsewhere, autocommit=True) as connection:
        connection.execute(
            f"do $$ begin execute format('alter database %I set pgrecall.exact_limit ="
            f" {EXACT_LIMIT}', current_database()); end $$"
        )
    return elsewhere


class Watch:
    """What a restore tells, and which indexes there are as it tells it; stops it where it is to."""

    def __init__(self, dsn: str, stop_at: str = "", error: BaseException | None = None) -> None:
        self.dsn, self.stop_at, self.error = dsn, stop_at, error
        self.seen: dict[str, set[str]] = {}

    def __call__(self, step: str, done: int, total: int) -> None:
        self.seen[step] = set(definitions(self.dsn))
        if step == self.stop_at and done == total and self.error:
            raise self.error


def test_they_are_built_once_all_rows_are_in(filled: str, target: str, backup: Path) -> None:
    before, watch = definitions(target), Watch(target)
    assert len(before) > 5
    restore(target, str(backup), on_step=watch)
    assert watch.seen["Restoring"] == set()
    assert watch.seen["Comparing"] == set(before)
    assert (definitions(target), unbuilt(target)) == (before, 0)
    assert checksums(target) == checksums(filled)
    with Memory(target, embedder=HashingEmbedder()) as memory:
        assert memory.recall("Works at Globex")[0].content == "Works at Globex."


def test_they_are_built_after_a_dump_too(filled: str, target: str, tmp_path: Path) -> None:
    require_tools(filled)
    before, watch = definitions(target), Watch(target)
    back_up_database(filled, str(tmp_path / "all.dump"))
    restore_database(target, str(tmp_path / "all.dump"), on_step=watch)
    after = search_indexes(target)
    assert {name: definition for name, (_, definition) in after.items()} == before
    assert (watch.seen["Restoring"], unbuilt(target)) == (set(), 0)
    assert checksums(target) == checksums(filled)


def test_a_rerun_builds_what_a_killed_restore_dropped(target: str, backup: Path) -> None:
    before = definitions(target)
    with pytest.raises(KeyboardInterrupt):
        restore(target, str(backup), on_step=Watch(target, "Restoring", KeyboardInterrupt()))
    assert (definitions(target), unbuilt(target)) == ({}, len(before))
    assert restore(target, str(backup)).resumed
    assert (definitions(target), unbuilt(target)) == (before, 0)


def test_a_failed_restore_builds_them_at_once(target: str, backup: Path) -> None:
    before = definitions(target)
    with pytest.raises(BackupError):
        restore(target, str(backup), on_step=Watch(target, "Restoring", BackupError("no more")))
    assert (definitions(target), unbuilt(target)) == (before, 0)


def test_where_recall_needs_them_they_stay(target: str, backup: Path) -> None:
    fill(target, "a large one")
    before = search_indexes(target)
    restore(target, str(backup), on_step=(watch := Watch(target)))
    assert (search_indexes(target), watch.seen["Restoring"]) == (before, set(before))


def test_a_small_restore_leaves_them(elsewhere: str, backup: Path) -> None:
    before = search_indexes(elsewhere)
    restore(elsewhere, str(backup))
    assert search_indexes(elsewhere) == before


def test_a_reader_who_stays_is_not_waited_for(target: str, backup: Path) -> None:
    before = search_indexes(target)
    with psycopg.connect(target) as reader:
        reader.execute("select from ai_memories").fetchall()
        # The index of vectors is dropped first, if at all; none may be, where one can't be.
        restore(target, str(backup))
    assert (search_indexes(target), unbuilt(target)) == (before, 0)


def test_without_shared_memory_one_process_builds_them(
    target: str, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, alone, build = definitions(target), [], indexes._build_one

    def crowded(connection: Any, definition: str, workers: int, look: Any) -> None:
        if workers:
            raise psycopg.errors.DiskFull("could not resize shared memory segment")
        alone.append(definition.split()[2])
        build(connection, definition, workers, look)

    monkeypatch.setattr(indexes, "_build_one", crowded)
    restore(target, str(backup))
    assert set(alone) == {name.rpartition(".")[2] for name in before}
    assert definitions(target) == before


@contextmanager
def nobody_hears() -> Iterator[indexes.OnStep]:
    yield lambda step, done, total: None


def imports(dsn: str) -> list[tuple[str, str]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            "select state, coalesce(reason, '') from agent_memory.backups where action = 'import'"
        ).fetchall()


def test_an_import_builds_them_afterwards(target: str) -> None:
    before = search_indexes(target)
    with (
        indexes.built_after_import(target, ORGANIZATION, "many.jsonl", nobody_hears),
        Memory(target, embedder=HashingEmbedder()) as memory,
    ):
        assert search_indexes(target) == {}
        memory.transfer.store([{"content": f"Note {number}."} for number in range(50)])
        # By then more than are compared one by one; found all the same.
        assert memory.recall("note 17")[0].content == "Note 17."
    after = search_indexes(target)
    assert {name: text for name, (_, text) in after.items()} == {
        name: text for name, (_, text) in before.items()
    }
    assert after != before
    assert (unbuilt(target), imports(target)) == (0, [("done", "")])


@pytest.mark.parametrize("error", [BackupError("no more"), KeyboardInterrupt(), ValueError("bug")])
def test_an_import_that_ends_early_builds_them_too(target: str, error: BaseException) -> None:
    before = definitions(target)
    with (
        pytest.raises(type(error)),
        indexes.built_after_import(target, ORGANIZATION, "many.jsonl", nobody_hears),
    ):
        raise error
    assert (definitions(target), unbuilt(target)) == (before, 0)


def test_an_import_beside_a_large_organization_leaves_them(target: str) -> None:
    fill(target, "a large one")
    before = search_indexes(target)
    with indexes.built_after_import(target, ORGANIZATION, "many.jsonl", nobody_hears):
        assert search_indexes(target) == before
    assert imports(target) == []


def test_an_import_by_another_role_leaves_them(target: str) -> None:
    before = search_indexes(target)
    login = f"import_{uuid4().hex[:12]}"
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute(f"create role {login} login password 'x' in role authenticated")
        dsn = make_conninfo(target, options=f"-c role={login}")
        try:
            with indexes.built_after_import(dsn, ORGANIZATION, "many.jsonl", nobody_hears):
                assert search_indexes(target) == before
        finally:
            connection.execute(f"drop role {login}")
