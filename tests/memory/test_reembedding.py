"""Another embedding model is filled in, switched to and the former one dropped, in use."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
import pytest

from pgrecall import AsyncMemory, Memory
from pgrecall.errors import (
    ConfigurationError,
    ConflictError,
    EmbeddingMismatchError,
    InvalidInputError,
    NotFoundError,
    PgRecallError,
)
from pgrecall.testing import HashingEmbedder

OLD, NEW = HashingEmbedder(64), HashingEmbedder(256)
HITS = 10


@pytest.fixture(autouse=True)
def _of_vectors(has_vector: bool) -> None:
    if not has_vector:
        pytest.skip("this server has no pgvector")


def texts(count: int, of: str = "day") -> list[str]:
    return [f"On {of} {n} Maria drank tea number {n % 7} in the garden." for n in range(count)]


def opened(dsn: str, organization: str, embedder: HashingEmbedder | None = OLD) -> Memory:
    return Memory(dsn, organization=organization, embedder=embedder)


def states(memory: Memory) -> dict[str | None, tuple[str, int, int]]:
    return {m.model: (m.state, m.vectors, m.missing) for m in memory.embeddings.status()}


def vectors(dsn: str, model: str) -> dict[str, str]:
    """The stored vectors of a model by the text of their memories."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "select content, embedding::text from agent_memory.embeddings e join ai_memories m"
            " on m.organization_id = e.organization_id and m.id = e.memory_id where model = %s",
            (model,),
        ).fetchall()
    return dict(rows)


@dataclass
class Recalls:
    """What clients that recall all the while have seen."""

    fewest: dict[str, int] = field(default_factory=dict)
    errors: list[PgRecallError] = field(default_factory=list)
    count: int = 0

    def hear(self, model: str, hits: int) -> None:
        self.count += 1
        self.fewest[model] = min(hits, self.fewest.get(model, hits))


@contextmanager
def recalling(dsn: str, organization: str, *embedders: HashingEmbedder) -> Iterator[Recalls]:
    """A client for each embedder that recalls as often as it can meanwhile."""
    seen, ended = Recalls(), threading.Event()

    def client(embedder: HashingEmbedder) -> None:
        with opened(dsn, organization, embedder) as memory:
            while not ended.is_set():
                try:
                    seen.hear(embedder.model, len(memory.recall("tea in the garden", limit=HITS)))
                except PgRecallError as error:
                    seen.errors.append(error)
                    return

    threads = [threading.Thread(target=client, args=(each,)) for each in embedders]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def test_another_model_is_moved_to_while_clients_recall(pgrecall_dsn: str) -> None:
    told = texts(300)
    with (
        opened(pgrecall_dsn, "acme") as old,
        opened(pgrecall_dsn, "acme", NEW) as new,
        psycopg.connect(pgrecall_dsn, autocommit=True) as connection,
    ):
        # So that a part of the vectors is indexed, and indexes choose candidates.
        name = connection.info.dbname
        connection.execute(f"alter database {name} set pgrecall.exact_limit = 100".encode())
        old.remember(told)
        heard: list[tuple[int, int]] = []
        with recalling(pgrecall_dsn, "acme", OLD) as seen:
            filled = new.embeddings.backfill(on_progress=lambda *now: heard.append(now))
            switched = new.embeddings.switch(NEW.model)
        assert (filled.stored, filled.missing, filled.is_current) == (300, 0, False)
        assert heard == [(128, 300), (256, 300), (300, 300)]
        assert (switched.former, switched.missing) == (OLD.model, 0)
        with recalling(pgrecall_dsn, "acme", OLD, NEW) as after:
            while after.count < 20 and not after.errors:
                pass
        assert seen.errors == after.errors == []
        assert seen.fewest == {OLD.model: HITS}
        assert after.fewest == {OLD.model: HITS, NEW.model: HITS}
        assert new.embeddings.drop(OLD.model).vectors == 300
        assert states(new) == {NEW.model: ("current", 300, 0)}
        assert len(new.recall("tea", limit=HITS)) == HITS
        with pytest.raises(EmbeddingMismatchError, match="hashing-64 with 64"):
            old.remember("Rain.")
        with pytest.raises(EmbeddingMismatchError, match="of hashing-256"):
            old.recall("tea")


def test_filled_in_vectors_are_those_that_remember_would_have_stored(pgrecall_dsn: str) -> None:
    messages = [
        {"role": "user", "name": "Maria", "content": "Green tea, please."},
        {"role": "assistant", "content": "Nora: with honey?"},
        {"role": "user", "content": "No."},
    ]
    with opened(pgrecall_dsn, "one") as old, opened(pgrecall_dsn, "one", NEW) as new:
        old.remember([*messages, "Maria likes tea."])
        new.embeddings.backfill()
        filled = vectors(pgrecall_dsn, NEW.model)
    with opened(pgrecall_dsn, "two", NEW) as fresh:
        fresh.remember([*messages, "Maria likes tea."])
    assert len(filled) == 4
    assert filled == vectors(pgrecall_dsn, NEW.model)


def test_a_recall_never_compares_a_model_that_is_being_filled_in(
    shared_dsn: str, organization: str
) -> None:
    with (
        opened(shared_dsn, organization) as old,
        opened(shared_dsn, organization, NEW) as new,
    ):
        old.remember(["Green tea.", "Rain."])
        new.embeddings.backfill()
        early = new.recall("tea")
        assert [hit.signals.semantic for hit in early] == [None, None]
        assert "hashing-256" in early.explain().unavailable["semantic"]
        new.embeddings.switch(NEW.model)
        for memory in (old, new):
            assert all(hit.signals.semantic is not None for hit in memory.recall("tea"))


def test_writes_of_both_models_are_taken_and_gaps_are_filled(
    shared_dsn: str, organization: str
) -> None:
    with opened(shared_dsn, organization) as old, opened(shared_dsn, organization, NEW) as new:
        old.remember(texts(3))
        with pytest.raises(EmbeddingMismatchError, match="embeddings backfill"):
            new.remember("Too early.")
        new.embeddings.backfill()
        old.remember("With the old one.")
        new.remember("With the next one.")
        with pytest.raises(ConflictError, match=r"1 of 5 memories of agent default have no vector"):
            new.embeddings.switch(NEW.model)
        assert new.embeddings.switch(NEW.model, allow_missing=1).missing == 1
        old.remember("With the former one.")
        assert new.embeddings.backfill().stored == 2
        assert states(new) == {NEW.model: ("current", 6, 0), OLD.model: ("former", 5, 1)}
        assert old.embeddings.backfill().stored == 1
        assert old.embeddings.switch(OLD.model).former == NEW.model


def test_a_text_that_changes_while_it_is_embedded_is_embedded_anew(
    shared_dsn: str, organization: str
) -> None:
    with opened(shared_dsn, organization) as old:
        [first, *_] = old.remember(texts(3)).ids

        class Slow(HashingEmbedder):
            has_changed = False

            def embed(self, texts):  # type: ignore[no-untyped-def]
                if not self.has_changed:
                    self.has_changed = True
                    old.update(first, content="Coffee.")
                return super().embed(texts)

        with opened(shared_dsn, organization, Slow(256)) as new:
            done = new.embeddings.backfill()
            assert (done.stored, done.skipped, done.missing) == (2, 1, 1)
            assert new.embeddings.backfill().stored == 1
            new.embeddings.switch(NEW.model)
            [hit] = new.recall("Coffee.", limit=1)
            assert hit.signals.semantic == pytest.approx(1, abs=1e-3)


def test_two_at_once_store_nothing_twice(shared_dsn: str, organization: str) -> None:
    done = []

    def fill() -> None:
        with opened(shared_dsn, organization, NEW) as memory:
            done.append(memory.embeddings.backfill())

    with opened(shared_dsn, organization) as old:
        old.remember(texts(300))
        threads = [threading.Thread(target=fill) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(each.stored for each in done) == 300
        assert states(old)[NEW.model] == ("next", 300, 0)


def test_an_interrupted_one_goes_on_where_it_was(shared_dsn: str, organization: str) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with opened(shared_dsn, organization) as old, opened(shared_dsn, organization, NEW) as new:
        old.remember(texts(300))
        with pytest.raises(KeyboardInterrupt):
            new.embeddings.backfill(on_progress=interrupt)
        assert states(new)[NEW.model] == ("next", 128, 172)
        assert new.embeddings.backfill().stored == 172


def test_memories_without_any_vector_get_one(shared_dsn: str, organization: str) -> None:
    with (
        opened(shared_dsn, organization, None) as plain,
        opened(shared_dsn, organization) as memory,
    ):
        plain.remember(texts(3))
        assert states(plain) == {None: ("none", 0, 3)}
        with pytest.raises(ConfigurationError, match="no embedder"):
            plain.embeddings.backfill()
        done = memory.embeddings.backfill()
        assert (done.stored, done.is_current) == (3, True)
        assert states(plain) == {OLD.model: ("current", 3, 0)}


def test_forgotten_and_superseded_memories_are_filled_in_too(
    shared_dsn: str, organization: str
) -> None:
    with opened(shared_dsn, organization) as old, opened(shared_dsn, organization, NEW) as new:
        old.remember("I work at Acme.", slot="employer")
        old.remember("I work at Initech.", slot="employer")
        old.forget(old.remember("It rains.").id)
        assert new.embeddings.backfill().stored == 3


def test_models_that_are_not_there_and_the_one_that_is_used(
    shared_dsn: str, organization: str
) -> None:
    with opened(shared_dsn, organization) as memory:
        memory.remember("Tea.")
        for ask in (memory.embeddings.switch, memory.embeddings.drop):
            with pytest.raises(NotFoundError, match="no model other"):
                ask("other")
        with pytest.raises(ConflictError, match="is the model that agent default uses"):
            memory.embeddings.drop(OLD.model)
        assert memory.embeddings.switch(OLD.model).former is None
        with pytest.raises(InvalidInputError, match="allow_missing"):
            memory.embeddings.switch(OLD.model, allow_missing=-1)


def test_a_dropped_model_may_come_back(shared_dsn: str, organization: str) -> None:
    with opened(shared_dsn, organization) as old, opened(shared_dsn, organization, NEW) as new:
        old.remember(texts(3))
        new.embeddings.backfill()
        assert new.embeddings.drop(NEW.model).vectors == 3
        assert new.embeddings.drop(NEW.model).vectors == 0
        with pytest.raises(EmbeddingMismatchError):
            new.remember("Too late.")
        assert new.embeddings.backfill().stored == 3


async def test_the_same_awaited(shared_dsn: str, organization: str) -> None:
    async with (
        AsyncMemory(shared_dsn, organization=organization, embedder=OLD) as old,
        AsyncMemory(shared_dsn, organization=organization, embedder=NEW) as new,
    ):
        await old.remember(texts(3))
        assert (await new.embeddings.backfill()).stored == 3
        assert (await new.embeddings.switch(NEW.model)).former == OLD.model
        assert [each.state for each in await old.embeddings.status()] == ["current", "former"]
        assert (await old.embeddings.drop(OLD.model)).vectors == 3
