# Generated from ../_async/vectors.py by scripts/generate_sync.py: edit that file instead.

"""Vectors of texts: made in batches, off the event loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from pgrecall._sync.concurrency import in_thread
from pgrecall.domain.pieces import pieces
from pgrecall.domain.text import MAX_CONTENT_CHARACTERS, MAX_QUERY_CHARACTERS
from pgrecall.embedding import Embedder, Vector, embed_query, embed_texts, embedder_named

BATCH_SIZE = 64
DEFAULT = "default"
# A speaker's name and what parts it from the words are embedded with them.
MAX_SPEAKER_CHARACTERS = 257

EmbedderChoice: TypeAlias = "Embedder | str | None"


def chosen_embedder(choice: EmbedderChoice, setting: str) -> Embedder | None:
    """The embedder that is meant: itself, by name, or with `default` by the setting."""
    if isinstance(choice, str):
        return embedder_named(setting if choice == DEFAULT else choice)
    return choice


def draft_vectors(
    embedder: Embedder, texts: Sequence[str], on_texts: Callable[[int], None] | None
) -> list[list[Vector]]:
    """The vectors of each text's pieces: one for an ordinary text, none for one that is blank or
    longer than a memory may be.

    `on_texts` hears after each batch how many texts are done.
    """
    vectors: list[list[Vector]] = [[] for _ in texts]
    parts = [
        (place, part)
        for place, text in enumerate(texts)
        if is_embeddable(text)
        for part in pieces(text)
    ]
    for start in range(0, len(parts), BATCH_SIZE):
        batch = parts[start : start + BATCH_SIZE]
        rows = in_thread(embed_texts, embedder, [part for _, part in batch])
        for (place, _), row in zip(batch, rows, strict=True):
            vectors[place].append(row)
        if on_texts is not None:
            on_texts(batch[-1][0] + 1)
    return vectors


def query_vector(embedder: Embedder, query: str) -> Vector | None:
    """The vector of a query, or None for one that is blank; of a long one, of its beginning."""
    if not query.strip():
        return None
    return in_thread(embed_query, embedder, query[:MAX_QUERY_CHARACTERS])


def is_embeddable(text: str) -> bool:
    """Whether a text is worth a vector: the database refuses blank and overlong ones."""
    return bool(text.strip()) and len(text) <= MAX_CONTENT_CHARACTERS + MAX_SPEAKER_CHARACTERS
