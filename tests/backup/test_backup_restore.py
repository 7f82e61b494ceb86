"""What was backed up comes back as it was, into any place that is free for it."""

from __future__ import annotations

import threading
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from pgrecall import Memory
from pgrecall._sync.migrate import migrate
from pgrecall.domain.identity import organization_uuid
from pgrecall.errors import (
    ConflictError,
    MissingPrivilegeError,
    NotFoundError,
    SchemaMissingError,
)
from pgrecall.ops.backup.restore import restore
from pgrecall.ops.backup.writer import back_up
from pgrecall.testing import HashingEmbedder
from pgrecall.testing.databases import cloned
from tests.backup.conftest import ORGANIZATION, checksums, digest, fill


def test_elsewhere_it_is_the_same(filled: str, elsewhere: str, backup: Path) -> None:
    done = restore(elsewhere, str(backup))
    assert checksums(elsewhere) == checksums(filled)
    assert (done.organization_id, done.added, done.kept, done.skipped) == (
        ORGANIZATION, done.rows, 0, 0,
    )  # fmt: skip
    assert not done.notices
    question = "which one is in stock?"
    with (
        Memory(filled, embedder=HashingEmbedder()) as there,
        Memory(elsewhere, embedder=HashingEmbedder()) as here,
    ):
        found, expected = here.recall(question), there.recall(question)
        assert [hit.id for hit in found] == [hit.id for hit in expected]
        for one, other in zip(found, expected, strict=True):
            assert one.signals.semantic == other.signals.semantic
            assert one.signals.lexical == other.signals.lexical
        # It goes on working: a slot's value is superseded, a text is known again.
        here.remember("Works at Hooli.", user_id="maria", slot="user:maria/employer")
        assert here.remember("note 3 of jonas", user_id="jonas").status == "duplicate"


def test_a_long_text_comes_back_with_its_pieces(
    pgrecall_dsn: str, elsewhere: str, tmp_path: Path
) -> None:
    needle = "The lighthouse keeper of Vlieland collects barometers."
    text = f"{'The ferry was late again. ' * 4_000}{needle}"
    with Memory(pgrecall_dsn, embedder=HashingEmbedder()) as there:
        told = there.remember([text, f"{text} Twice.", "Tea."])
        path = str(tmp_path / "long.tar")
        back_up(pgrecall_dsn, ORGANIZATION, path)
        there.erase(ids=[told.ids[1]])
    assert restore(elsewhere, path).added > 0
    with Memory(elsewhere, embedder=HashingEmbedder()) as here:
        found = here.recall("barometers")
        assert {hit.id for hit in found if hit.signals.lexical} == set(told.ids[:2])
        assert needle in found.as_prompt()
    # Where it was erased, nothing of it comes back.
    restore(pgrecall_dsn, path, merge=True)
    with psycopg.connect(pgrecall_dsn) as connection:
        for table in ("pieces", "embeddings"):
            query = f"select distinct memory_id from agent_memory.{table}"
            ids = {row[0] for row in connection.execute(query.encode()).fetchall()}
            assert ids <= {told.ids[0], told.ids[2]}


def test_beside_itself_under_another_name(filled: str, backup: Path) -> None:
    before = checksums(filled)
    done = restore(filled, str(backup), as_organization="copy")
    assert (done.organization_id, done.organization) == (organization_uuid("copy"), "copy")
    copied = checksums(filled, organization_uuid("copy"))
    name = "agent_memory.organizations"
    assert {**copied, name: None} == {**before, name: None}
    assert checksums(filled) == before


def test_rows_that_are_there_are_in_the_way(filled: str, backup: Path) -> None:
    before = digest(filled)
    with pytest.raises(ConflictError, match=r"here already, with rows in .*ai_memories") as caught:
        restore(filled, str(backup))
    assert "--merge" in str(caught.value.hint)
    assert digest(filled) == before


def test_an_organization_that_was_only_opened_is_free(elsewhere: str, backup: Path) -> None:
    with Memory(elsewhere, agent_id="early", embedder=None) as memory:
        memory.open()
    restore(elsewhere, str(backup))
    with psycopg.connect(elsewhere) as connection:
        members = connection.execute("select user_id from agent_memory.members").fetchall()
    assert {member for (member,) in members} == {"agent:early", "agent:default", "maria"}


def test_a_merge_adds_what_is_missing_and_changes_nothing(filled: str, backup: Path) -> None:
    before = checksums(filled)
    with psycopg.connect(filled) as connection:
        connection.execute("delete from ai_memories where user_id = 'jonas'")
        connection.execute("update ai_memories set importance = 0.9 where content ~ 'Globex'")
    missing = sum(rows for rows, _ in before.values()) - sum(
        rows for rows, _ in checksums(filled).values()
    )
    with Memory(filled, embedder=HashingEmbedder()) as memory:
        memory.remember("new since then", user_id="maria")
    done = restore(filled, str(backup), merge=True)
    assert missing > 20
    assert (done.added, done.kept) == (missing, done.rows - missing)
    with Memory(filled, embedder=HashingEmbedder()) as memory:
        assert len(memory.list(user_id="jonas", limit=100).items) == 19
        assert (
            memory.recall("note that was changed", user_id="jonas")[0].signals.importance == 0.123
        )
        assert memory.recall("new since then")[0].content == "new since then"
        assert memory.recall("Works at Globex")[0].signals.importance == 0.9


def test_writers_go_on_and_the_backup_is_of_one_moment(
    filled: str, elsewhere: str, tmp_path: Path
) -> None:
    stop = threading.Event()

    def write() -> None:
        with Memory(filled, embedder=HashingEmbedder()) as memory:
            number = 0
            while not stop.is_set():
                number += 1
                memory.remember(f"pair {number} left", user_id="pairs", slot=f"pair/{number}")

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        backups = [back_up(filled, ORGANIZATION, str(tmp_path / f"{n}.tar")) for n in range(5)]
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert [each.rows for each in backups] == sorted(each.rows for each in backups)
    restore(elsewhere, str(tmp_path / "4.tar"))
    with psycopg.connect(elsewhere) as connection:
        [(loose,)] = connection.execute(
            "select count(*) from ai_memories m where m.superseded_by is not null and not exists"
            " (select from ai_memories o where o.id = m.superseded_by)"
        ).fetchall()
    assert loose == 0


def test_only_that_organization_is_in_it(filled: str, elsewhere: str, tmp_path: Path) -> None:
    fill(filled, "another")
    back_up(filled, organization_uuid("another"), str(tmp_path / "a.tar"))
    restore(elsewhere, str(tmp_path / "a.tar"))
    with psycopg.connect(elsewhere) as connection:
        found = connection.execute(
            "select organization_id from agent_memory.organizations"
        ).fetchall()
    assert found == [(organization_uuid("another"),)]


def test_what_stands_in_the_way_of_a_backup(filled: str, backup: Path, tmp_path: Path) -> None:
    with pytest.raises(ConflictError, match="is there already"):
        back_up(filled, ORGANIZATION, str(backup))
    with pytest.raises(NotFoundError, match="no organization"):
        back_up(filled, UUID(int=7), str(tmp_path / "x.tar"))
    with psycopg.connect(filled) as connection:
        connection.execute("create role pgrecall_test_reader")
        connection.execute("grant select on all tables in schema public to pgrecall_test_reader")
        connection.execute("grant usage on schema agent_memory to pgrecall_test_reader")
    try:
        as_reader = f"{filled} options='-c role=pgrecall_test_reader'"
        with pytest.raises(MissingPrivilegeError, match="may not read all of"):
            back_up(as_reader, ORGANIZATION, str(tmp_path / "x.tar"))
    finally:
        with psycopg.connect(filled) as connection:
            connection.execute("drop owned by pgrecall_test_reader")
            connection.execute("drop role pgrecall_test_reader")
    assert {each.name for each in tmp_path.iterdir()} == {"default.tar"}


def test_a_database_without_the_schema_is_refused(pgrecall_server: str, backup: Path) -> None:
    with cloned(pgrecall_server, "template0") as empty:
        with pytest.raises(SchemaMissingError):
            restore(empty, str(backup))
        migrate(empty)
        restore(empty, str(backup))


def test_the_ledger_tells(filled: str, elsewhere: str, backup: Path) -> None:
    restore(elsewhere, str(backup))
    with pytest.raises(ConflictError):
        restore(elsewhere, str(backup))
    look = "select action, state, rows, bytes, snapshot_at is not null from agent_memory.backups"
    with psycopg.connect(filled) as connection:
        [made] = connection.execute(look).fetchall()
    with psycopg.connect(elsewhere) as connection:
        [put] = connection.execute(look).fetchall()
    assert made == ("backup", "done", made[2], backup.stat().st_size, True)
    assert put == ("restore", "done", made[2], None, True)


def test_one_that_was_deleted_while_it_came_back_begins_anew(
    filled: str, elsewhere: str, backup: Path
) -> None:
    def stop(step: str, done: int, total: int) -> None:
        if step == "Linking":
            raise KeyboardInterrupt

    for is_deleted in (False, True):
        with pytest.raises(KeyboardInterrupt):
            restore(elsewhere, str(backup), on_step=stop)
        with psycopg.connect(elsewhere) as connection:
            assert not connection.execute("select from agent_memory.members").fetchall()
            if is_deleted:
                connection.execute("delete from agent_memory.organizations")
    done = restore(elsewhere, str(backup))
    assert (done.resumed, done.added) == (False, done.rows)
    assert checksums(elsewhere) == checksums(filled)


@pytest.mark.parametrize("leaves_table", [True, False])
def test_vectors_wait_for_pgvector(
    filled: str, elsewhere: str, backup: Path, leaves_table: bool
) -> None:
    counted = checksums(filled)
    if "agent_memory.embeddings" not in counted:
        pytest.skip("the server has no pgvector")
    with psycopg.connect(elsewhere, autocommit=True) as connection:
        if not leaves_table:
            connection.execute("drop table agent_memory.embeddings")
        connection.execute("drop extension vector cascade")
    done = restore(elsewhere, str(backup))
    assert len(done.notices) == 1
    assert "vectors are kept out" in done.notices[0]
    assert checksums(elsewhere)["public.ai_memories"] == counted["public.ai_memories"]
    # Its migration makes the extension and the table anew.
    migrate(elsewhere)
    restore(elsewhere, str(backup), merge=True)
    assert checksums(elsewhere) == counted


def test_a_url_of_fsspec(filled: str, elsewhere: str) -> None:
    pytest.importorskip("fsspec")
    url = "memory://backups/default.tar"
    back_up(filled, ORGANIZATION, url)
    with pytest.raises(ConflictError):
        back_up(filled, ORGANIZATION, url)
    restore(elsewhere, url)
    assert checksums(elsewhere) == checksums(filled)
