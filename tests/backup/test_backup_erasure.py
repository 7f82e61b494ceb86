"""What was erased does not come back by a backup that was made before."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgrecall import Memory
from pgrecall.domain.identity import organization_uuid
from pgrecall.embedded import binary
from pgrecall.errors import ConflictError
from pgrecall.ops.backup.restore import restore
from pgrecall.ops.backup.writer import back_up
from pgrecall.ops.erasure import erase_everywhere
from pgrecall.testing import HashingEmbedder
from pgrecall.testing.databases import add_member
from tests.backup.conftest import ORGANIZATION, checksums

CANARIES = ("zanzibar", "quetzal", "xylophone", "yggdrasil", "wolpertinger")

SETTINGS = ("agent_memory_config", "agent_memory.models", "agent_memory_stats")


class Second(HashingEmbedder):
    """Another model."""

    model = "second"


def live(dsn: str) -> None:
    """A user's whole life here, beside another one's, in one conversation with them."""
    with Memory(dsn, embedder=HashingEmbedder()) as memory:
        told = memory.remember("I keep a zanzibar.", user_id="eve", metadata={"pet": "quetzal"})
        memory.update(told.id, content="I keep a quetzal now.")
        memory.remember("Plays the xylophone.", user_id="eve", slot="user:eve/plays")
        memory.remember("Plays the yggdrasil.", user_id="eve", slot="user:eve/plays")
        memory.forget([memory.remember("Saw a wolpertinger.", user_id="eve").id])
        memory.remember("Shared wolpertinger.", user_id="eve", slot="shared", visibility="agent")
        for user, text in (("eve", "My quetzal sings."), ("bob", "How nice."), ("bob", "Bye.")):
            message = {"role": "user", "content": text}
            memory.remember(message, user_id=user, context="chat", visibility="agent")
        memory.remember("bob likes tea", user_id="bob")
    with Memory(dsn, embedder=Second()) as memory, suppress(ConflictError):
        # Where the server has pgvector.
        memory.embeddings.backfill()
    add_member(dsn, ORGANIZATION, "eve", "member")
    add_member(dsn, ORGANIZATION, "olga", "owner")


def erase(dsn: str, user: str) -> Any:
    with Memory(dsn, embedder=HashingEmbedder()) as memory:
        return memory.erase(user_id=user)


def found(dsn: str, words: tuple[str, ...]) -> dict[str, list[str]]:
    """Which words stand in which table, in a row or in a stem of its index."""
    hits: dict[str, list[str]] = {}
    with psycopg.connect(dsn) as connection:
        tables = connection.execute(
            "select c.oid::regclass::text from pg_class as c where c.relkind in ('r', 'm', 'v')"
            " and c.relnamespace in ('public'::regnamespace, 'agent_memory'::regnamespace)"
        ).fetchall()
        for (table,) in tables:
            [(text,)] = connection.execute(
                f"select coalesce(string_agg(t::text, ' '), '') from {table} as t"
            ).fetchall()
            hits |= {table: here} if (here := [w for w in words if w[:6] in text.lower()]) else {}
    return hits


def dumped(dsn: str) -> str:
    """A fresh dump, as text; the program of the server's own version."""
    with psycopg.connect(dsn) as connection:
        version = connection.info.server_version // 10000
    own = Path(f"/usr/lib/postgresql/{version}/bin/pg_dump")
    program = binary("pg_dump") if version == 18 else own
    if not program.exists():
        pytest.skip(f"no pg_dump of version {version} here")
    return subprocess.run([program, dsn], capture_output=True, text=True, check=True).stdout.lower()


@pytest.fixture
def before(pgrecall_dsn: str, tmp_path: Path) -> Path:
    """A backup of all that was before the erasure; afterwards eve is erased."""
    live(pgrecall_dsn)
    path = tmp_path / "before.tar"
    back_up(pgrecall_dsn, ORGANIZATION, str(path))
    assert found(pgrecall_dsn, CANARIES)
    assert erase(pgrecall_dsn, "eve").memories
    assert not found(pgrecall_dsn, CANARIES)
    return path


@pytest.mark.parametrize("name", ["default", "copy"])
def test_into_the_database_where_it_was_erased(pgrecall_dsn: str, before: Path, name: str) -> None:
    expected = checksums(pgrecall_dsn)["public.ai_memories"]
    done = restore(pgrecall_dsn, str(before), as_organization=name, merge=name == "default")
    assert done.skipped > 6
    assert not found(pgrecall_dsn, CANARIES)
    text = dumped(pgrecall_dsn)
    assert not [word for word in CANARIES if word[:6] in text]
    # Bob's are there, just as they are where the erasure was.
    assert checksums(pgrecall_dsn, organization_uuid(name))["public.ai_memories"] == expected
    with Memory(pgrecall_dsn, organization=name, embedder=HashingEmbedder()) as memory:
        assert {each.content for each in memory.list(limit=100).items} >= {"How nice.", "Bye."}
        assert memory.remember("I have a quetzal again.", user_id="eve").status == "added"


def test_elsewhere_its_tombstones_come_with_a_later_backup(
    pgrecall_dsn: str, elsewhere: str, before: Path, tmp_path: Path
) -> None:
    after = tmp_path / "after.tar"
    back_up(pgrecall_dsn, ORGANIZATION, str(after))
    restore(elsewhere, str(after))
    done = restore(elsewhere, str(before), merge=True)
    assert done.skipped > 6
    assert not found(elsewhere, CANARIES)


@pytest.mark.parametrize("merge", [True, False])
@pytest.mark.parametrize("files", range(1, 9))
def test_an_erasure_while_a_backup_is_restored(
    pgrecall_dsn: str, tmp_path: Path, files: int, merge: bool
) -> None:
    """Once so many files of it are in."""
    live(pgrecall_dsn)
    path = tmp_path / "before.tar"
    back_up(pgrecall_dsn, ORGANIZATION, str(path))
    lose(pgrecall_dsn)
    restored: list[int] = []

    def note(step: str, done: int, total: int) -> None:
        if step == "Restoring":
            restored.append(done)
            if len(restored) == files:
                # By an operator: a client's counts would be rows that no backup has.
                erase_everywhere(pgrecall_dsn, ORGANIZATION, {"user_id": "eve"})

    restore(pgrecall_dsn, str(path), merge=merge, on_step=note)
    assert len(restored) >= files
    assert not found(pgrecall_dsn, CANARIES)
    with Memory(pgrecall_dsn, embedder=HashingEmbedder()) as memory:
        assert {each.content for each in memory.list(limit=100).items} >= {"How nice.", "Bye."}


def lose(dsn: str) -> None:
    """All that an organization holds, by an accident: nobody meant to erase it."""
    with psycopg.connect(dsn) as connection:
        for table in ("ai_memories", "ai_memory_contexts", *SETTINGS):
            connection.execute(f"delete from {table}")


def test_an_organization_of_which_only_tombstones_are_left_takes_a_backup(
    pgrecall_dsn: str, before: Path
) -> None:
    lose(pgrecall_dsn)
    done = restore(pgrecall_dsn, str(before))
    assert done.skipped > 6
    assert not found(pgrecall_dsn, CANARIES)
    with Memory(pgrecall_dsn, embedder=HashingEmbedder()) as memory:
        assert len(memory.list(user_id="bob", limit=100).items) == 3


def test_a_value_that_an_erased_one_had_ended_stays_ended(
    pgrecall_dsn: str, tmp_path: Path
) -> None:
    with Memory(pgrecall_dsn, embedder=HashingEmbedder()) as memory:
        memory.remember("Lives in Rome.", slot="home")
        ids = [memory.remember(f"Lives in {town}.", slot="home").id for town in ("Bonn", "Oslo")]
        path = tmp_path / "before.tar"
        back_up(pgrecall_dsn, ORGANIZATION, str(path))
        memory.erase(ids[:1])
    restore(pgrecall_dsn, str(path), as_organization="copy")
    with psycopg.connect(pgrecall_dsn) as connection:
        rows = connection.execute(
            "select content, superseded_by, valid_to is null from ai_memories"
            " where organization_id = %s order by content",
            [organization_uuid("copy")],
        ).fetchall()
    assert rows == [("Lives in Oslo.", None, True), ("Lives in Rome.", None, False)]
