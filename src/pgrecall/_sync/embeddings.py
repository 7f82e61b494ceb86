# Generated from ../_async/embeddings.py by scripts/generate_sync.py: edit that file instead.

"""The embedding models of an agent: another one filled in beside the current one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pgrecall._sync.database import Database
from pgrecall._sync.store import OnProgress, Store
from pgrecall._sync.transaction import Rows
from pgrecall._sync.vectors import draft_vectors
from pgrecall.domain.embeddings import Backfill, EmbeddingModel, ModelDrop, ModelSwitch
from pgrecall.domain.numbers import count
from pgrecall.domain.text import identifier
from pgrecall.embedding import Embedder
from pgrecall.errors import ConfigurationError, ConflictError, InvalidInputError
from pgrecall.sql.batches import vector_fields
from pgrecall.sql.loader import statement

# What is done again at most after an interruption; small enough that nobody waits for its locks.
PAGE = 128
MAX_MISSING = 2**31 - 1


class Embeddings:
    """The models whose vectors an agent's memories have; `Memory.embeddings`.

    For the agent's own program without an API key, owners and admins: PermissionDeniedError for
    all others. Every method raises ConflictError where the server has no pgvector.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def status(self) -> list[EmbeddingModel]:
        """The agent's models, the current one first, and how far each has come."""
        return [EmbeddingModel(**row) for row in self._run("memory_models", {})]

    def backfill(self, *, on_progress: OnProgress | None = None) -> Backfill:
        """Give every memory that lacks one a vector of this client's embedder.

        If that is not the agent's current model, it is filled in beside it, and recall goes on as
        before until `switch`. Safe to interrupt, to repeat, and to run several times at once: it
        asks what is missing, and keeps each page that was stored. What is written meanwhile is
        filled in too, but for the last of it. Only what this caller may read and change is: run it
        as the agent. `on_progress` hears how many of how many are done.

        Raises ConfigurationError without an embedder, EmbedderError, EmbeddingMismatchError if the
        model was filled in with another dimension.
        """
        database, embedder = self._store.open()
        embedder = _required(embedder, database)
        named = {"model": embedder.model, "dimension": embedder.dimension}
        begun = self._answer("add_memory_model", named)
        tally = _Tally(begun["missing"], on_progress)
        # What a pass leaves is what was written while it ran, which is less each time.
        while self._pass(embedder, tally) >= PAGE:
            pass
        ended = [each for each in self.status() if each.model == embedder.model]
        return Backfill(
            agent_id=begun["agent_id"],
            model=embedder.model,
            is_current=any(each.state == "current" for each in ended),
            stored=tally.statuses["stored"],
            skipped=tally.statuses["skipped"],
            rejected=tally.statuses["rejected"],
            missing=sum(each.missing for each in ended),
        )

    def switch(self, model: str, *, allow_missing: int = 0) -> ModelSwitch:
        """Make a model that was filled in, or a former one, the agent's current one, at once.

        The former one stays: clients that still embed with it recall and remember as before.
        Raises ConflictError while more than `allow_missing` memories have no vector of it,
        NotFoundError for a model that the agent does not have.
        """
        allowed = count("allow_missing", allow_missing, MAX_MISSING, least=0)
        given = {"model": _model(model), "allow_missing": allowed}
        return ModelSwitch(**self._answer("switch_memory_model", given))

    def drop(self, model: str, *, on_progress: Callable[[int], None] | None = None) -> ModelDrop:
        """Drop a model that is not the current one, and its vectors, some at a time.

        From then on clients that embed with it get EmbeddingMismatchError. Safe to interrupt and
        to repeat. `on_progress` hears how many vectors have gone. Raises ConflictError for the
        current model, NotFoundError for one that the agent does not have.
        """
        vectors, is_done = 0, False
        while not is_done:
            answer = self._answer("drop_memory_model", {"model": _model(model)})
            vectors, is_done = vectors + answer["vectors"], answer["is_done"]
            if on_progress is not None:
                on_progress(vectors)
        return ModelDrop(answer["agent_id"], answer["model"], vectors)

    def _pass(self, embedder: Embedder, tally: _Tally) -> int:
        """How many vectors one way through all memories stored."""
        before = tally.statuses["stored"]
        after: UUID | None = None
        page: Rows | None = None
        while page is None or page:
            asked = {"model": embedder.model, "after": after, "match_limit": PAGE}
            page = self._run("missing_memory_embeddings", asked)
            if page:
                tally.add(self._fill(embedder, page))
                after = page[-1]["id"]
        return tally.statuses["stored"] - before

    def _fill(self, embedder: Embedder, page: Rows) -> Rows:
        texts = draft_vectors(embedder, [row["text"] for row in page], None)
        items = [
            {"id": str(row["id"]), "digest": row["digest"], **vector_fields(vectors)}
            for row, vectors in zip(page, texts, strict=True)
        ]
        given = {"model": embedder.model, "embeddings": json.dumps(items)}
        return self._run("store_memory_embeddings", given)

    def _answer(self, name: str, given: Mapping[str, object]) -> dict[str, Any]:
        [row] = self._run(name, given)
        answer: dict[str, Any] = row["answer"]
        return answer

    def _run(self, name: str, given: Mapping[str, object]) -> Rows:
        database, _ = self._store.open()
        parameters = {"agent_id": self._store.identity.agent_id, **given}
        # All of these bear repeating, so a broken connection is tried again as with a read.
        [rows] = database.run([statement(name, parameters)], is_read=True)
        return rows


@dataclass(slots=True)
class _Tally:
    """What became of the vectors so far, and who hears of it."""

    total: int
    on_progress: OnProgress | None
    statuses: Counter[str] = field(default_factory=Counter)

    def add(self, answers: Rows) -> None:
        self.statuses.update(answer["status"] for answer in answers)
        if self.on_progress is not None:
            done = self.statuses.total()
            self.on_progress(done, max(done, self.total))


def _required(embedder: Embedder | None, database: Database) -> Embedder:
    if embedder is None and database.has_vector:
        raise ConfigurationError(
            "this client has no embedder", hint="PGRECALL_EMBEDDER names one, such as local."
        )
    if embedder is None:
        raise ConflictError(
            "this server has no pgvector, so it stores no vectors",
            hint="Install pgvector 0.7 or later, then run `pgrecall migrate`.",
        )
    return embedder


def _model(name: object) -> str:
    found = identifier("model", name)
    if found is None:
        raise InvalidInputError("model must name an embedding model")
    return found
