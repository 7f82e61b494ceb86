# Generated from ../_async/store.py by scripts/generate_sync.py: edit that file instead.

"""What a client asks of its database, in values; opened when it is first asked."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from types import EllipsisType
from uuid import UUID

from pgrecall._sync.concurrency import Here, Lock, in_thread, observed
from pgrecall._sync.database import Database, open_database
from pgrecall._sync.link import Address
from pgrecall._sync.statistics import Flusher
from pgrecall._sync.transaction import Rows
from pgrecall._sync.vectors import EmbedderChoice, chosen_embedder, draft_vectors, query_vector
from pgrecall.domain.config import (
    TOKEN_BUDGET,
    AgentConfig,
    AgentSetting,
    ConfigChange,
    agent_config,
)
from pgrecall.domain.documents import Json
from pgrecall.domain.draft import Draft
from pgrecall.domain.erasure import Receipt, receipt
from pgrecall.domain.identity import Identity, identity
from pgrecall.domain.memory import Change, MemoryRecord, Message, Page
from pgrecall.domain.remembered import Remembered, with_refused
from pgrecall.domain.scope import Forgotten
from pgrecall.domain.statistics import Statistics, statistics
from pgrecall.embedding import Embedder, Vector
from pgrecall.errors import ClosedError, InvalidInputError, NotFoundError
from pgrecall.recall.explanation import Timings, explanation, hit_explanations
from pgrecall.recall.question import Question
from pgrecall.recall.result import Recall
from pgrecall.settings import Settings
from pgrecall.sql.adapters import RealArray
from pgrecall.sql.batches import Batches, vector_fields
from pgrecall.sql.loader import Statement, statement
from pgrecall.sql.rows import hit
from pgrecall.telemetry.embedder import WatchedEmbedder
from pgrecall.telemetry.tally import Tally
from pgrecall.telemetry.watch import Watch

OnProgress = Callable[[int, int], None]


class Store:
    """One client's way to its memories."""

    def __init__(
        self, address: Address, who: Identity, choice: EmbedderChoice, settings: Settings
    ) -> None:
        self.address = address
        self.identity = who
        self.watch = Watch(is_counting=settings.stats_interval > 0, slow_after=settings.slow_recall)
        self._choice = choice
        self._settings = settings
        self._is_closed = False
        self._here = Here(partial(_Opened, self.watch.tally, who, settings))
        self.watch.on_neglect = self._schedule

    def acting_as(
        self,
        organization: str | UUID | None,
        agent_id: str | None,
        claims: Mapping[str, object] | EllipsisType | None,
    ) -> Store:
        """Another client of the same database; what is not named is as here."""
        self._check()
        here = self.identity
        if claims is ...:
            claims = here.given_claims()
            if claims is not None and organization is not None:
                raise InvalidInputError(
                    "the claims of this memory name its organization",
                    hint="Give the claims for the other one too, or claims=None.",
                )
        who = identity(
            here.organization_name if organization is None else organization,
            here.agent_id if agent_id is None else agent_id,
            claims,
        )
        return Store(self.address, who, self._choice, self._settings)

    def open(self) -> tuple[Database, Embedder | None]:
        """The database and the embedder, which is None where the server has no vectors."""
        self._check()
        opened = self._here.get()
        with opened.lock:
            self._check()
            if opened.database is None:
                database = open_database(self.address, self.identity, self._settings)
                try:
                    opened.embedder = self._embedder(database)
                except BaseException:
                    database.close()
                    raise
                opened.database = database
                opened.flusher.open(database)
            return opened.database, opened.embedder

    def _check(self) -> None:
        if self._is_closed:
            raise ClosedError("the memory is closed", hint="Open another one.")

    def close(self) -> None:
        """Close for good; safe to repeat."""
        self._is_closed = True
        for opened in self._here.take_all():
            opened.close()

    def _schedule(self) -> None:
        if not self._is_closed:
            self._here.get().flusher.schedule()

    @observed("remember")
    def remember(
        self,
        drafted: Sequence[Draft | InvalidInputError],
        on_progress: OnProgress | None,
        name: str = "remember_memories",
    ) -> Remembered:
        """The answers for all, the drafts written in one transaction by the named statement."""
        database, embedder = self.open()
        drafts = [each for each in drafted if isinstance(each, Draft)]
        if not drafts:
            return with_refused(drafted, ())
        report = _reporter(on_progress, len(drafts))
        vectors: list[list[Vector]] = [[] for _ in drafts]
        if embedder is not None:
            vectors = draft_vectors(embedder, [draft.text_to_embed for draft in drafts], report)
            # Writing takes a small part of the time that embedding takes: not counted again.
            report = None
        batches = Batches(drafts, vectors, _model(embedder), name)
        answers = database.run(batches, on_rows=report)
        if on_progress is not None:
            on_progress(len(drafts), len(drafts))
        return with_refused(drafted, batches.answers(answers))

    @observed("recall")
    def recall(self, question: Question, *, is_in_context: bool, is_explained: bool) -> Recall:
        """The hits for a question, in one round trip to the database."""
        began = time.perf_counter()
        database, embedder = self.open()
        opened_at = time.perf_counter()
        vector = None if embedder is None else query_vector(embedder, question.query)
        embedded_at = time.perf_counter()
        model = _model(embedder)
        asked = _asked(question, vector, model)
        name = "recall_in_context" if is_in_context else "recall_memories"
        statements = [statement(name, asked), statement("last_recall")]
        if is_explained:
            statements += [statement("explain_memories", asked), statement("last_recall")]
        rows, [last], *explained = database.run(statements, is_read=True)
        ended = time.perf_counter()
        timings = Timings(
            embedding=1000 * (embedded_at - opened_at),
            database=1000 * (ended - embedded_at),
            total=1000 * (ended - began),
        )
        hits = tuple(hit(row) for row in rows)
        said = last["said"] or {}
        defaults = explanation(question.query, said, len(hits), model, timings)
        if explained:
            parts, [counted] = explained
            defaults = replace(
                defaults,
                scores=hit_explanations(hits, {row["id"]: row["signals"] for row in parts}),
                without_vector=counted["said"]["without_vector"],
            )
        return Recall(question.query, hits, defaults, said.get("token_budget", TOKEN_BUDGET))

    @observed("get")
    def get(self, memory_id: UUID) -> MemoryRecord:
        """The memory, forgotten or not; NotFoundError if the caller sees none of that id."""
        rows = self._read("get_memory", {"memory_id": memory_id})
        return _record(memory_id, rows)

    @observed("list")
    def list_page(self, filters: Mapping[str, object], limit: int) -> Page:
        """Up to `limit` memories that pass the filters, newest first."""
        rows = self._read("list_memories", {**filters, "row_limit": limit + 1})
        items = tuple(MemoryRecord(**row) for row in rows[:limit])
        return Page(items, str(items[-1].id) if len(rows) > limit else None)

    @observed("update")
    def update(self, memory_id: UUID, changes: Mapping[str, Json]) -> MemoryRecord:
        """The memory as it is after the changes; new content is embedded anew."""
        database, embedder = self.open()
        changes = {**changes, **_content_vector(embedder, changes)}
        _, rows = database.run(
            [
                statement("update_memory", {"memory_id": memory_id, "changes": _json(changes)}),
                statement("get_memory", {"memory_id": memory_id}),
            ]
        )
        return _record(memory_id, rows)

    def set_forgotten(self, name: str, scope: Mapping[str, Json], dry_run: bool) -> Forgotten:
        """The answer of forget_memories or restore_memories, whichever is named."""
        call = statement(name, {"scope": _json(scope), "dry_run": dry_run})
        return self._set_forgotten(name.removesuffix("_memories"), call)

    def clear(self, context: Mapping[str, object]) -> Forgotten:
        """Forgets all that was remembered in a conversation."""
        return self._set_forgotten("forget", statement("clear_context", context))

    def _set_forgotten(self, operation: str, call: Statement) -> Forgotten:
        with self.watch.operation(operation) as running:
            database, _ = self.open()
            [[row]] = database.run([call])
            running.answer = answer = Forgotten(**row["answer"])
        return answer

    @observed("erase")
    def erase(self, scope: Mapping[str, Json], dry_run: bool) -> Receipt:
        """What was erased for good, or would be."""
        database, _ = self.open()
        named = {"scope": _json(scope), "dry_run": dry_run}
        [[row]] = database.run([statement("erase_memories", named)])
        answer = receipt(row["answer"])
        if answer.id is not None and set(answer.scope or ()) == {"agent_id"}:
            # The agent's statistics went with it; what waits would bring it back into them.
            self.watch.tally.take()
        return answer

    @observed("history")
    def history(self, memory_id: UUID) -> list[Change]:
        """The life of a memory and of its slot, oldest first; NotFoundError if it has none."""
        rows = self._read("memory_history", {"memory_id": memory_id})
        if not rows:
            raise _not_found(memory_id)
        return [Change(**row) for row in rows]

    @observed("messages")
    def messages(self, context: Mapping[str, object], limit: int) -> list[Message]:
        """The last messages of a conversation, oldest first."""
        rows = self._read("list_messages", {**context, "row_limit": limit})
        return [Message(**row) for row in reversed(rows)]

    @observed("summary")
    def find_summary(self, context: Mapping[str, object]) -> str | None:
        """The newest summary of a conversation, or None."""
        rows = self._read("find_summary", context)
        return rows[0]["content"] if rows else None

    @observed("configure")
    def configure(self, agent_id: str | None, changes: Mapping[str, Json]) -> AgentConfig:
        """What holds for an agent, or without one for all, after the changes."""
        database, _ = self.open()
        named = {"agent_id": agent_id}
        _, rows = database.run(
            [
                statement("configure_memory", {**named, "changes": _json(changes)}),
                statement("agent_config", named),
            ]
        )
        return agent_config(agent_id, (AgentSetting(**row) for row in rows))

    @observed("config")
    def config(self, agent_id: str | None) -> AgentConfig:
        """What holds for an agent, or without one for all that don't set it themselves."""
        rows = self._read("agent_config", {"agent_id": agent_id})
        return agent_config(agent_id, (AgentSetting(**row) for row in rows))

    @observed("config_history")
    def config_history(self, agent_id: str | None) -> list[ConfigChange]:
        """The changes of an agent's settings and of those for all agents, oldest first."""
        rows = self._read("memory_config_history", {"agent_id": agent_id})
        return [ConfigChange(**row) for row in rows]

    def statistics(self, asked: Mapping[str, object]) -> Statistics:
        """The counts that are asked for, those of this client and of closed ones included."""
        database, _ = self.open()
        database.link.flush_left()
        self._here.get().flusher.flush()
        return statistics(self._read("agent_stats", asked))

    def _read(self, name: str, parameters: Mapping[str, object]) -> Rows:
        database, _ = self.open()
        [rows] = database.run([statement(name, parameters)], is_read=True)
        return rows

    def _embedder(self, database: Database) -> Embedder | None:
        if not database.has_vector:
            return None
        found = in_thread(chosen_embedder, self._choice, self._settings.embedder)
        # The same one, with its model or its connections, for whoever acts as somebody else.
        self._choice = found
        return None if found is None else WatchedEmbedder(found, self.watch)


class _Opened:
    """What a client has open in one process and event loop."""

    def __init__(self, tally: Tally, who: Identity, settings: Settings) -> None:
        self.lock = Lock()
        self.flusher = Flusher(tally, who.program or who.agent_id, settings.stats_interval)
        self.database: Database | None = None
        self.embedder: Embedder | None = None

    def close(self) -> None:
        with self.lock:
            if self.database is None:
                return
            try:
                self.flusher.close()
            finally:
                self.database.close()


def _content_vector(embedder: Embedder | None, changes: Mapping[str, Json]) -> dict[str, Json]:
    content = changes.get("content")
    if embedder is None or not isinstance(content, str):
        return {}
    [vectors] = draft_vectors(embedder, [content], None)
    return {**vector_fields(vectors), "embedding_model": embedder.model} if vectors else {}


def _model(embedder: Embedder | None) -> str | None:
    return None if embedder is None else embedder.model


def _asked(question: Question, vector: Vector | None, model: str | None) -> dict[str, object]:
    return {
        **asdict(question),
        "metadata": question.metadata and _json(question.metadata),
        "query_embedding": None if vector is None else RealArray(vector),
        "embedding_model": model,
    }


def _reporter(on_progress: OnProgress | None, total: int) -> Callable[[int], None] | None:
    """Hears how many are done; the last word, that all are written, is left to the caller."""
    if on_progress is None:
        return None
    return lambda done: on_progress(done, total) if done < total else None


def _record(memory_id: UUID, rows: Rows) -> MemoryRecord:
    if not rows:
        raise _not_found(memory_id)
    return MemoryRecord(**rows[0])


def _not_found(memory_id: UUID) -> NotFoundError:
    return NotFoundError(
        f"no memory {memory_id}",
        hint="It was erased, never existed, or this caller may not see it.",
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
