# Generated from ../_async/transfer.py by scripts/generate_sync.py: edit that file instead.

"""Memories on their way out of a database, and in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from pgrecall._sync.snapshot import Snapshot, snapshot
from pgrecall._sync.store import Store
from pgrecall._sync.vectors import draft_vectors
from pgrecall.domain.draft import Draft, draft_or_error
from pgrecall.domain.remembered import Remembered, with_refused
from pgrecall.domain.text import MAX_KEY_CHARACTERS, identifier
from pgrecall.domain.times import moment
from pgrecall.domain.transfer import HISTORY, import_draft
from pgrecall.embedding import Vector
from pgrecall.recall.question import checked_kinds
from pgrecall.sql.batches import Batches
from pgrecall.sql.loader import statement

PAGE = 500

Exported: TypeAlias = "dict[str, Any]"


class Transfer:
    """Export and import of the memories that a client may see or write; `Memory.transfer`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def export(
        self,
        *,
        user_id: str | None = None,
        agent_id: str | None = None,
        context: str | None = None,
        kinds: Iterable[str] | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        with_history: bool = False,
    ) -> Iterator[Exported]:
        """What this caller may see, forgotten and superseded memories too, in order of their ids.

        All of it is as of one moment, however long it takes. The fields are those of
        docs/export-import.md; `with_history` adds `history`, the changes of each memory. Filters
        are as those of `recall`. Raises NoOrganizationError, PermissionDeniedError.
        """
        asked = {
            "user_id": identifier("user_id", user_id),
            "agent_id": identifier("agent_id", agent_id),
            "context_key": identifier("context", context, MAX_KEY_CHARACTERS),
            "kinds": checked_kinds(kinds),
            "since": moment("since", since),
            "until": moment("until", until),
            "row_limit": PAGE,
        }
        database, _ = self._store.open()
        with snapshot(database) as seen:
            # Row Level Security shows nothing to somebody without rights; this says so.
            seen.rows(statement("agent_config", {"agent_id": None}))
            rows: Sequence[Exported] | None = None
            while rows is None or len(rows) == PAGE:
                after = rows[-1]["id"] if rows else None
                rows = seen.rows(statement("export_memories", {**asked, "after": after}))
                if with_history:
                    _add_history(seen, rows)
                yield from rows

    def store(self, items: Iterable[Mapping[str, object]], *, dry_run: bool = False) -> Remembered:
        """Import items with the fields of an export, or with `dry_run` say what would become of it.

        An item needs `content` alone. Answers as `remember` does, and raises for no single item.
        An id that is there already, or an idempotency key, makes the item a duplicate, so that an
        import can be repeated. What is new is embedded, and written in one transaction: give some
        hundreds at a time. Raises EmbeddingMismatchError, EmbedderError.
        """
        drafted = [draft_or_error(import_draft, item) for item in items]
        drafts = [each for each in drafted if isinstance(each, Draft)]
        return with_refused(drafted, self._stored(drafts, dry_run))

    def _stored(self, drafts: Sequence[Draft], dry_run: bool) -> Remembered:
        database, embedder = self._store.open()
        # First without vectors, which take most of the time: what is there already needs none.
        without_vectors = Batches(drafts, [[] for _ in drafts], None, "check_imports")
        checked = without_vectors.answers(database.run(without_vectors, is_read=True))
        new = [d for d, a in zip(drafts, checked, strict=True) if a.status == "added"]
        if dry_run or not new:
            return checked
        vectors: list[list[Vector]] = [[] for _ in new]
        if embedder is not None:
            vectors = draft_vectors(embedder, [draft.text_to_embed for draft in new], None)
        model = None if embedder is None else embedder.model
        batches = Batches(new, vectors, model, "import_memories")
        written = iter(batches.answers(database.run(batches)))
        return Remembered(
            tuple(next(written) if each.status == "added" else each for each in checked)
        )


def _add_history(seen: Snapshot, rows: Sequence[Exported]) -> None:
    by_id: dict[object, Exported] = {row["id"]: row for row in rows}
    for row in rows:
        row[HISTORY] = []
    for change in seen.rows(statement("export_history", {"ids": list(by_id)})):
        by_id[change.pop("memory_id")][HISTORY].append(change)
