"""Recall of a large organization where only some of its memories pass a filter.

    python -m benchmarks.filters
    python -m benchmarks.filters --sizes 100000 1000000 --homes DIR

The populations of `benchmarks.growth`, and its questions, asked with filters that fewer and fewer
memories pass; of some of them the ten hits are compared with those of scoring all that pass.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean
from time import perf_counter
from typing import Any

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rich.console import Console
from rich.table import Table

from benchmarks.databases import Database
from benchmarks.populated import LIMIT, comparing_all, fill_once, hits_of, memory_of, place_of
from benchmarks.population import Population, Question, Sizes
from benchmarks.report import Setting
from benchmarks.timing import Times, summarize
from pgrecall import Memory

Filters = Mapping[str, Mapping[str, Any]]

SHARED = 0.95
"""At least so much of the ten best by comparing all must be found."""


@dataclass(frozen=True)
class Figures:
    """One filter in one organization.

    `passing`: how many of its `memories` pass. `shared`: of the ten best by comparing all of these,
    the share that recall found, mean over `compared` questions; 1 where nothing passes.
    """

    memories: int
    name: str
    passing: int
    recall: Times
    shared: float
    compared: int


@dataclass(frozen=True)
class Asking:
    """The questions of one population, of recall as it is and of one that compares all."""

    memories: int
    questions: Sequence[Question]
    exact: int
    memory: Memory
    comparing: Memory

    def measure(self, name: str, filters: Mapping[str, Any]) -> Figures:
        found = [hits_of(self.memory, question, **filters) for question in self.questions]
        milliseconds = [self._milliseconds(question, filters) for question in self.questions]
        exactly = self.questions[: self.exact]
        best = [hits_of(self.comparing, question, **filters) for question in exactly]
        told = self.comparing.recall(exactly[0].words, limit=LIMIT, **filters).explain()
        shared = [len(f & b) / len(b) if b else 1.0 for f, b in zip(found, best, strict=False)]
        recall = summarize(milliseconds)
        return Figures(self.memories, name, told.compared, recall, fmean(shared), len(best))

    def _milliseconds(self, question: Question, filters: Mapping[str, Any]) -> float:
        started = perf_counter()
        self.memory.recall(question.words, limit=LIMIT, **filters)
        return 1000 * (perf_counter() - started)


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    figures: list[Figures] = []
    for large in options.sizes:
        population = Population(Sizes(large, min(100, large), organizations=11))
        with place_of(population.sizes, options.homes) as place:
            fill_once(place, population)
            figures += _figures(place, population, options)
            server = place.server()
    setting = Setting("drawn memories, one server a size", "drawing, 256 dimensions", server)
    _print(setting, figures, Console(markup=False, highlight=False))
    if options.json:
        report = {"setting": asdict(setting), "filters": [asdict(each) for each in figures]}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


def _figures(
    place: Database, population: Population, options: argparse.Namespace
) -> Iterator[Figures]:
    large, questions = population.sizes.large, population.questions(options.questions)
    with (
        memory_of(place, population, questions) as memory,
        memory_of(comparing_all(place), population, questions) as comparing,
    ):
        asking = Asking(large, questions, options.exact, memory, comparing)
        for name, filters in _filters().items():
            yield asking.measure(name, filters)


def _filters() -> Filters:
    """By what share of a population passes them, the largest first."""
    now = datetime.now(UTC)
    return {
        "none": {},
        "since a year ago, of three": {"since": now - timedelta(days=365)},
        "kinds: fact": {"kinds": ["fact"]},
        "kinds: preference": {"kinds": ["preference"]},
        "since 110 days ago": {"since": now - timedelta(days=110)},
        "metadata: a project of 50": {"metadata": {"project": "p3"}},
        "a user of 500": {"user_id": "u1"},
        "metadata that none has": {"metadata": {"project": "none"}},
        "a kind that none has": {"kinds": ["procedure"]},
    }


def _print(setting: Setting, figures: Sequence[Figures], console: Console) -> None:
    console.print(f"$ {setting.command}", soft_wrap=True)
    console.print(f"{setting.data}; vectors by {setting.model}", soft_wrap=True)
    console.print(f"pgrecall {setting.pgrecall}, {setting.server}, {setting.machine}\n")
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("memories", "filter", "pass", "p50, ms", "p95, ms", f"recall@{LIMIT}"):
        table.add_column(heading, justify="left" if heading == "filter" else "right", no_wrap=True)
    for each in figures:
        table.add_row(
            f"{each.memories:,}",
            each.name,
            f"{each.passing:,}",
            f"{each.recall.p50:.1f}",
            f"{each.recall.p95:.1f}",
            f"{each.shared:.3f}",
        )
    console.print(table, "")
    least = min(each.shared for each in figures)
    console.print(f"recall@{LIMIT} against comparing all: {least:.3f} at least; bar {SHARED}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.filters", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--sizes",
        type=int,
        nargs="+",
        default=[100_000],
        metavar="N",
        help="memories in one organization; 1000000 needs 12 GB of memory and 15 of disk",
    )
    parser.add_argument(
        "--homes", type=Path, metavar="DIR", help="keep the servers there, and use them again"
    )
    parser.add_argument("--questions", type=int, default=60, metavar="N")
    parser.add_argument(
        "--exact", type=int, default=30, metavar="N", help="questions compared with exact scoring"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
