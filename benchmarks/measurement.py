"""One measurement from beginning to end: write the conversations, ask, score, time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
from rich.console import Console
from rich.progress import track

from benchmarks.baselines import (
    BM25_NAME,
    Connection,
    Ranker,
    query_by_vector,
    rank_by_bm25,
    rank_by_ts_rank,
    rank_by_vector,
)
from benchmarks.conversations import Conversation, Question
from benchmarks.memories import Target, rank_by_recall, remember_sessions
from benchmarks.report import ALL, VECTOR_ONLY, Setting
from benchmarks.scoring import Score, mean, mean_by_category, score
from benchmarks.statements import statement
from benchmarks.timing import Ask, Times, summarize, time_interleaved

LIMIT = 50
"""How many hits every method is asked for and scored by."""

DEFAULT_LIMIT = 10
"""How many hits a recall gives unless it is told otherwise: what is timed."""

RECALL = "recall, the question's vector at hand"
RECALL_MANY = f"the same, {LIMIT} hits instead of {DEFAULT_LIMIT}"
RECALL_LIVE = "recall, embedding the question"


@dataclass(frozen=True)
class Bench:
    """Where is measured: pgrecall's side, and a connection for statements of our own."""

    target: Target
    connection: Connection


@dataclass(frozen=True)
class Tally:
    """What came out so far, by method: each question's score, each call's milliseconds."""

    scores: defaultdict[str, list[tuple[Question, Score]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    times: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def mean_scores(self) -> dict[str, Mapping[str, Score]]:
        return {
            method: {ALL: mean([one for _, one in scored]), **mean_by_category(scored)}
            for method, scored in self.scores.items()
        }

    def summarized_times(self) -> dict[str, Times]:
        return {name: summarize(times) for name, times in self.times.items()}


@contextmanager
def bench(target: Target) -> Iterator[Bench]:
    """A connection beside the target's own, with its settings: no prepared statements."""
    dsn = target.database.dsn
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as connection:
        yield Bench(target, connection)


def measure(bench: Bench, conversations: Sequence[Conversation]) -> Tally:
    """Writes all conversations, then asks each its questions: for the ranking, and for the time.

    Statistics are gathered in between, as autovacuum would do soon after.
    """
    tally = Tally()
    console = Console(stderr=True)
    turn_of = {}
    for conversation in track(conversations, "writing", console=console, transient=True):
        with bench.target.open(conversation.name) as memory:
            turn_of[conversation.name] = remember_sessions(memory, conversation)
    bench.connection.execute(statement("analyze"))
    for conversation in track(conversations, "asking", console=console, transient=True):
        _ask(bench, conversation, turn_of[conversation.name], tally)
    return tally


def describe(conversations: Sequence[Conversation], bench: Bench) -> Setting:
    turns = sum(len(conversation.turns) for conversation in conversations)
    questions = sum(len(conversation.questions) for conversation in conversations)
    major, minor = divmod(bench.connection.info.server_version, 10000)
    return Setting(
        data=f"{len(conversations)} conversations, {turns} turns, {questions} questions",
        model=bench.target.embedder.model,
        server=f"PostgreSQL {major}.{minor}",
    )


def _ask(
    bench: Bench, conversation: Conversation, turn_of: Mapping[str, str], tally: Tally
) -> None:
    embedder = bench.target.embedder
    with bench.target.open(conversation.name) as memory:
        recall = rank_by_recall(memory, turn_of, LIMIT)
        rankers = {"pgrecall": recall, **_baselines(bench, conversation)}
        for method, rank in rankers.items():
            tally.scores[method] += _scored(conversation, rank)
        questions = [question.text for question in conversation.questions]
        timed = rank_by_recall(memory, turn_of, DEFAULT_LIMIT)
        asks = {**_vector_query(bench, conversation), RECALL: timed, RECALL_MANY: recall}
        times = time_interleaved(asks, questions)
        with embedder.live_queries():
            times |= time_interleaved({RECALL_LIVE: timed}, questions)
    for name, milliseconds in times.items():
        tally.times[name] += milliseconds


def _baselines(bench: Bench, conversation: Conversation) -> dict[str, Ranker]:
    return {
        "vector only": rank_by_vector(conversation, bench.target.embedder, LIMIT),
        "ts_rank": rank_by_ts_rank(conversation, bench.connection, LIMIT),
        BM25_NAME: rank_by_bm25(conversation, LIMIT),
    }


def _vector_query(bench: Bench, conversation: Conversation) -> dict[str, Ask]:
    """The plain query that recall's time stands beside; none where the server lacks pgvector."""
    row = bench.connection.execute(statement("has_vector")).fetchone()
    if row is None or not row[0]:
        return {}
    query = query_by_vector(conversation, bench.target.embedder, bench.connection, DEFAULT_LIMIT)
    return {VECTOR_ONLY: query}


def _scored(conversation: Conversation, rank: Ranker) -> list[tuple[Question, Score]]:
    return [
        (question, score(rank(question.text), question, conversation.session_of))
        for question in conversation.questions
    ]
