"""How well pgrecall finds labelled evidence, on four public sets, beside three baselines.

    python -m benchmarks.quality --data DIR --set locomo

DIR holds one set. Each of its conversations is an organization of its own; every method ranks the
same rows. No language model takes part. `--embedder none` measures full text alone. LongMemEval's
haystacks are drawn at random: several times, of which the mean is shown, and the range.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import TypeAlias

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks import beam_data, locomo_data, longmemeval_data, xquad_data
from benchmarks.baselines import (
    BM25_NAME,
    Ranker,
    rank_by_bm25,
    rank_by_fusion,
    rank_by_vector,
)
from benchmarks.conversations import Conversation, Question
from benchmarks.databases import database
from benchmarks.memories import Target, rank_by_recall, remember_sessions
from benchmarks.report import ALL
from benchmarks.scoring import Score, mean, mean_by_category, score
from benchmarks.vectors import CachedEmbedder
from pgrecall.embedding import Embedder
from pgrecall.embedding.local import LocalEmbedder
from pgrecall.embedding.multilingual import MultilingualEmbedder

WIDTH = 110
LIMIT = 50
"""How many hits every method is asked for."""

RUNS = 3
"""How often what is random is drawn, unless told otherwise."""

Loader: TypeAlias = "Callable[[Path], tuple[Conversation, ...]]"

SETS: Mapping[str, Loader] = {
    "locomo": locomo_data.load,
    "longmemeval": longmemeval_data.load,
    "beam": beam_data.load,
    "xquad": xquad_data.load,
}
EMBEDDERS: Mapping[str, Callable[[], Embedder]] = {
    "local": LocalEmbedder,
    "multilingual": MultilingualEmbedder,
}
MEASURES: Mapping[str, Callable[[Score], float]] = {
    "R@5": lambda score: score.turn_recall[5],
    "R@10": lambda score: score.turn_recall[10],
    "R@20": lambda score: score.turn_recall[20],
    "nDCG@10": lambda score: score.gain,
    "MRR": lambda score: score.reciprocal_rank,
    "S@5": lambda score: score.session_recall[5],
    "S@10": lambda score: score.session_recall[10],
    "all S@10": lambda score: score.all_sessions[10],
}

Scores = dict[str, dict[str, Score]]
"""By method, then by category, `ALL` being one."""


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    if options.runs < 1:
        _parser().error("--runs must be at least 1")
    runs = [
        measure(load(options.data)[: options.limit_conversations], options)
        for load in draws(options.set, options.runs)
    ]
    _print(runs, Console(markup=False, highlight=False, width=WIDTH))
    if options.json:
        figures = [
            {
                method: {name: asdict(one) for name, one in by_category.items()}
                for method, by_category in scores.items()
            }
            for scores in runs
        ]
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


def draws(set_name: str, runs: int) -> Sequence[Loader]:
    """A loader a run: one alone where nothing is drawn."""
    if set_name != "longmemeval":
        return [SETS[set_name]]
    seeds = range(longmemeval_data.SEED, longmemeval_data.SEED + runs)
    return [partial(longmemeval_data.load, seed=seed) for seed in seeds]


def measure(conversations: Sequence[Conversation], options: argparse.Namespace) -> Scores:
    """Writes each conversation and asks its questions by every method.

    Without an embedder pgrecall has none; the baselines have the local one all the same.
    """
    scored: defaultdict[str, list[tuple[Question, Score]]] = defaultdict(list)
    model = EMBEDDERS.get(options.embedder, LocalEmbedder)()
    with CachedEmbedder(model) as embedder, database(options.dsn) as place:
        target = Target(place, embedder, options.set, options.embedder in EMBEDDERS)
        console = Console(stderr=True)
        for conversation in track(conversations, options.set, console=console, transient=True):
            for method, found in _ask(target, conversation).items():
                scored[method] += found
    return {
        method: {ALL: mean([one for _, one in found]), **mean_by_category(found)}
        for method, found in scored.items()
    }


def _ask(target: Target, conversation: Conversation) -> dict[str, list[tuple[Question, Score]]]:
    vector = rank_by_vector(conversation, target.embedder, LIMIT)
    bm25 = rank_by_bm25(conversation, LIMIT)
    asked_at = {question.text: question.asked_at for question in conversation.questions}
    with target.open(conversation.name) as memory:
        turn_of = remember_sessions(memory, conversation)
        rankers: dict[str, Ranker] = {
            "pgrecall": rank_by_recall(memory, turn_of, LIMIT, asked_at),
            "vector only": vector,
            BM25_NAME: bm25,
            "reciprocal rank fusion": rank_by_fusion([bm25, vector], LIMIT),
        }
        return {
            method: [
                (question, score(rank(question.text), question, conversation.session_of))
                for question in conversation.questions
            ]
            for method, rank in rankers.items()
        }


def _print(runs: Sequence[Scores], console: Console) -> None:
    """The means of the runs by category and, of several, the range over all questions."""
    table = _table("questions")
    for category, of_all in next(iter(runs[0].values())).items():
        table.add_row(f"{category} ({of_all.questions})")
        for method in runs[0]:
            values = [_values(scores[method][category]) for scores in runs]
            means = map(fmean, zip(*values, strict=True))
            table.add_row(f"  {method}", *(f"{value:.3f}" for value in means))
    console.print(table)
    if len(runs) > 1:
        console.print()
        table = _table(f"lowest, highest of {len(runs)}")
        for method in runs[0]:
            values = [_values(scores[method][ALL]) for scores in runs]
            for name, pick in (method, min), ("", max):
                picked = map(pick, zip(*values, strict=True))
                table.add_row(f"  {name}", *(f"{value:.3f}" for value in picked))
        console.print(table)


def _table(title: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column(title, no_wrap=True)
    for name in MEASURES:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _values(score: Score) -> list[float]:
    return [value(score) for value in MEASURES.values()]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/quality.py", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the set's folder")
    parser.add_argument("--set", choices=sorted(SETS), required=True)
    parser.add_argument(
        "--embedder", choices=[*EMBEDDERS, "none"], default="local", help="none: full text alone"
    )
    parser.add_argument(
        "--dsn", help="database to write to; default: DATABASE_URL, or a fresh embedded server"
    )
    parser.add_argument(
        "--runs",
        type=int,
        default=RUNS,
        metavar="N",
        help="how often LongMemEval's haystacks are drawn, from seed 7 on",
    )
    parser.add_argument("--limit-conversations", type=int, metavar="N", help="only the first N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
