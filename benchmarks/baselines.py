"""Four ways of finding that pgrecall is measured beside, each over one conversation's turns.

A ranker takes a question's text and returns turn ids, best first. The vector ranker computes
exact cosine in numpy, which orders as exact SQL does; the time of the SQL is taken in `timing`.
"""

from __future__ import annotations

import importlib.util
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import bm25s  # type: ignore[import-untyped]
import numpy as np
import psycopg

from benchmarks.conversations import Conversation
from benchmarks.statements import statement
from benchmarks.timing import Ask
from benchmarks.vectors import CachedEmbedder
from pgrecall.embedding import Vector, Vectors

Ranker = Callable[[str], list[str]]
Connection = psycopg.Connection[Any]

IS_STEMMED = importlib.util.find_spec("Stemmer") is not None
BM25_NAME = f"BM25 ({'English stemmer' if IS_STEMMED else 'no stemmer'})"


def rank_by_vector(conversation: Conversation, embedder: CachedEmbedder, limit: int) -> Ranker:
    """Cosine of the question's vector with each turn's."""
    ids = list(conversation.session_of)
    vectors = _normalized(embedder.embed(conversation.contents))

    def rank(question: str) -> list[str]:
        similarity = vectors @ embedder.embed_query(question)
        return [ids[row] for row in np.argsort(-similarity, kind="stable")[:limit]]

    return rank


def query_by_vector(
    conversation: Conversation, embedder: CachedEmbedder, connection: Connection, limit: int
) -> Ask:
    """The vector ranking as one SQL statement that returns the rows' content, to be timed."""
    fixed = {"organization": conversation.name, "limit": limit}
    rows = {
        "ids": list(conversation.session_of),
        "contents": conversation.contents,
        "times": [turn.said_at for turn in conversation.turns],
        "vectors": [_literal(vector) for vector in embedder.embed(conversation.contents)],
    }
    connection.execute(statement("create_vectors"))
    connection.execute(statement("insert_vectors"), fixed | rows)
    connection.execute(statement("analyze_vectors"))
    ranked = statement("rank_by_vector")

    def query(question: str) -> object:
        vector = _literal(embedder.embed_query(question))
        return connection.execute(ranked, fixed | {"vector": vector}).fetchall()

    return query


def rank_by_ts_rank(conversation: Conversation, connection: Connection, limit: int) -> Ranker:
    """PostgreSQL's `ts_rank` over the question's lexemes, any of which may match."""
    fixed = {"organization": conversation.name, "limit": limit}
    rows = {"ids": list(conversation.session_of), "contents": conversation.contents}
    connection.execute(statement("create_texts"))
    connection.execute(statement("insert_texts"), fixed | rows)
    ranked = statement("rank_by_ts_rank")

    def rank(question: str) -> list[str]:
        return [row[0] for row in connection.execute(ranked, fixed | {"question": question})]

    return rank


def rank_by_bm25(conversation: Conversation, limit: int) -> Ranker:
    """BM25 as bm25s has it by default (Lucene's form, k1 1.5, b 0.75).

    With its long list of stop words: PostgreSQL's list has the question words too, and without
    them BM25 loses .05 of recall@10 here.
    """
    ids = list(conversation.session_of)
    index = bm25s.BM25()
    index.index(_tokens(conversation.contents), show_progress=False)
    limit = min(limit, len(ids))

    def rank(question: str) -> list[str]:
        rows, scores = index.retrieve(_tokens([question]), k=limit, show_progress=False)
        return [ids[row] for row, score in zip(rows[0], scores[0], strict=True) if score > 0]

    return rank


def rank_by_fusion(rankers: Sequence[Ranker], limit: int) -> Ranker:
    """Reciprocal rank fusion of other rankings (Cormack et al. 2009), with its usual 60."""

    def rank(question: str) -> list[str]:
        fused: defaultdict[str, float] = defaultdict(float)
        for ranker in rankers:
            for place, id_ in enumerate(ranker(question), start=1):
                fused[id_] += 1 / (60 + place)
        return sorted(fused, key=lambda id_: -fused[id_])[:limit]

    return rank


def _tokens(texts: list[str]) -> Any:
    return bm25s.tokenize(texts, stopwords="en_plus", stemmer=_stemmer(), show_progress=False)


def _stemmer() -> Any:
    if not IS_STEMMED:
        return None
    return importlib.import_module("Stemmer").Stemmer("english")


def _literal(vector: Vector) -> str:
    return str(vector.tolist())


def _normalized(vectors: Vectors) -> Vectors:
    unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit
