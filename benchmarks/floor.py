"""pgrecall beside the best SQL by hand, on the same rows in the same tables.

    python -m benchmarks.floor --data DIR

Recall stands beside its own scoring statement, sent by the schema's owner as a prepared statement:
the scope is a plain WHERE, nobody's claims are read, rows come back as tuples. Writing many stands
beside COPY of the finished rows, in binary, into the same tables with the same indexes; the digest,
the window's lexemes and the vector are there already, only the generated column and the indexes
are made. By turns, in one run, each call or COPY committed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg
from rich.console import Console
from rich.table import Table

from benchmarks import locomo_data
from benchmarks.conversations import Conversation
from benchmarks.databases import database
from benchmarks.memories import Target, message, remember_sessions
from benchmarks.report import Setting
from benchmarks.statements import statement
from benchmarks.timing import Ask, Times, summarize, time_interleaved
from benchmarks.vectors import CachedEmbedder
from pgrecall.domain.identity import organization_uuid
from pgrecall.embedding.local import LocalEmbedder

RECALL, FLOOR = "recall", "the same statement by hand"
MOST_OF_FLOOR = 1.5
"""Recall's median may take so many times as long."""
LEAST_OF_COPY = 0.6
"""Writing must reach so much of COPY's rate."""
COPIED = ("contexts", "memories", "embeddings")


@dataclass(frozen=True)
class Figures:
    """`recall`: milliseconds of a question. `writes`: seconds of each pair, ours and COPY's."""

    recall: Mapping[str, Times]
    writes: Sequence[tuple[float, float]]
    memories: int

    @property
    def times_the_floor(self) -> float:
        return self.recall[RECALL].p50 / self.recall[FLOOR].p50

    @property
    def of_copy(self) -> float:
        """The median over pairs of our rate by COPY's."""
        return median(copied / ours for ours, copied in self.writes)


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    conversations = locomo_data.load(options.data)[: options.limit_conversations]
    with CachedEmbedder(LocalEmbedder()) as embedder, database(options.dsn) as place:
        target = Target(place, embedder, "floor")
        with psycopg.connect(place.dsn, autocommit=True) as owner:
            figures = _measure(target, owner, conversations, options.repeat)
        setting = Setting(_described(conversations), embedder.model, place.server())
    _print(setting, figures, Console(markup=False, highlight=False))
    if options.json:
        report = json.dumps({"setting": asdict(setting), **asdict(figures)}, indent=2)
        options.json.write_text(report + "\n", encoding="utf-8")
    return 0


def _measure(
    target: Target,
    owner: psycopg.Connection[Any],
    conversations: Sequence[Conversation],
    repeat: int,
) -> Figures:
    for conversation in conversations:
        with target.open(conversation.name) as memory:
            remember_sessions(memory, conversation)
    owner.execute(statement("rls_vacuum"))
    asked: dict[str, list[float]] = {RECALL: [], FLOOR: []}
    for conversation in conversations:
        for name, milliseconds in _ask(target, owner, conversation).items():
            asked[name] += milliseconds
    writes = [
        _write(target, owner, conversation, number)
        for number in range(repeat)
        for conversation in conversations
    ]
    written = repeat * sum(len(conversation.turns) for conversation in conversations)
    return Figures({name: summarize(asked[name]) for name in asked}, writes, written)


def _ask(
    target: Target, owner: psycopg.Connection[Any], conversation: Conversation
) -> dict[str, list[float]]:
    questions = [question.text for question in conversation.questions]
    with target.open(conversation.name) as memory:
        asks: dict[str, Ask] = {
            RECALL: memory.recall,
            FLOOR: _by_hand(target, owner, conversation.name),
        }
        return time_interleaved(asks, questions)


def _by_hand(target: Target, owner: psycopg.Connection[Any], name: str) -> Ask:
    embedder, sql = target.embedder, statement("rls_recall_bare")
    named = {"organization_id": _organization(target, name), "model": embedder.model}

    def ask(question: str) -> object:
        values = {"query": question, "query_embedding": embedder.embed_query(question).tolist()}
        return owner.execute(sql, named | values, prepare=True).fetchall()

    return ask


def _write(
    target: Target,
    owner: psycopg.Connection[Any],
    conversation: Conversation,
    number: int,
) -> tuple[float, float]:
    """Seconds of one remember of the conversation, and of COPY of the same rows elsewhere."""
    name = f"{conversation.name} write {number}"
    content = [message(each) for each in conversation.turns]
    with target.open(name) as memory, target.open(f"{name} copy"):
        began = perf_counter()
        memory.remember(content, context="all")
        ours = perf_counter() - began
    rows = _finished_rows(target, owner, name)
    began = perf_counter()
    with owner.transaction():
        for table in COPIED:
            with owner.cursor().copy(statement(f"floor_copy_{table}")) as copy:
                copy.write(rows[table])
    return ours, perf_counter() - began


def _finished_rows(
    target: Target, owner: psycopg.Connection[Any], name: str
) -> Mapping[str, bytes]:
    """What `remember` wrote, in COPY's binary format, as rows of another organization."""
    owner.execute(
        statement("floor_set_organizations"),
        {
            "source": str(_organization(target, name)),
            "goal": str(_organization(target, f"{name} copy")),
        },
    )
    return {table: _copied(owner, f"floor_read_{table}") for table in COPIED}


def _copied(owner: psycopg.Connection[Any], name: str) -> bytes:
    with owner.cursor().copy(statement(name)) as copy:
        return b"".join(bytes(piece) for piece in copy)


def _organization(target: Target, name: str) -> object:
    return organization_uuid(f"{target.set_name}{target.database.suffix}-{name}")


def _described(conversations: Sequence[Conversation]) -> str:
    turns = sum(len(conversation.turns) for conversation in conversations)
    questions = sum(len(conversation.questions) for conversation in conversations)
    return f"{len(conversations)} conversations, {turns} turns, {questions} questions"


def _print(setting: Setting, figures: Figures, console: Console) -> None:
    console.print(f"$ {setting.command}", soft_wrap=True)
    console.print(f"{setting.data}; vectors by {setting.model}", soft_wrap=True)
    console.print(f"pgrecall {setting.pgrecall}, {setting.server}, {setting.machine}\n")
    ours, copied = (sum(column) for column in zip(*figures.writes, strict=True))
    recall, floor = figures.recall[RECALL], figures.recall[FLOOR]
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("what", "pgrecall", "by hand", "ratio", "bar"):
        table.add_column(name, justify="left" if name == "what" else "right", no_wrap=True)
    ratio = f"{figures.times_the_floor:.2f}"
    table.add_row(
        "recall p50, ms", f"{recall.p50:.2f}", f"{floor.p50:.2f}", ratio, f"at most {MOST_OF_FLOOR}"
    )
    table.add_row("recall p95, ms", f"{recall.p95:.2f}", f"{floor.p95:.2f}", "", "")
    rates = [f"{figures.memories / seconds:,.0f}" for seconds in (ours, copied)]
    share = f"{figures.of_copy:.2f}"
    table.add_row("written per second", *rates, share, f"at least {LEAST_OF_COPY}")
    console.print(table)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.floor", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="LoCoMo's conversations"
    )
    parser.add_argument(
        "--dsn", help="a superuser's; default: DATABASE_URL, or a fresh embedded server"
    )
    parser.add_argument("--limit-conversations", type=int, metavar="N", help="only the first N")
    parser.add_argument(
        "--repeat", type=int, default=5, metavar="N", help="pairs of writes of each conversation"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
