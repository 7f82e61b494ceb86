"""How recall and writing hold as an organization, or the number of organizations, grows.

    python -m benchmarks.growth
    python -m benchmarks.growth --sizes 1000 10000 100000 1000000 --many 10000

Each size is a server of its own, filled with drawn memories and vectors. Questions are asked by
`Memory.recall` of the largest organization, the vectors at hand; of some of them the ten hits are
compared with those of scoring every memory one by one. Writes afterwards go to that organization,
into all indexes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from statistics import fmean
from time import perf_counter

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg
from rich.console import Console

from benchmarks.databases import Database
from benchmarks.growth_report import Figures, Stage, print_growth
from benchmarks.populated import (
    LIMIT,
    NEW,
    comparing_all,
    delete_written,
    fill_once,
    hits_of,
    memory_of,
    place_of,
)
from benchmarks.population import Population, Question, Sizes
from benchmarks.report import Setting
from benchmarks.statements import statement
from benchmarks.timing import percentiles
from pgrecall import Memory

BATCH = 128


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    console = Console(markup=False, highlight=False)
    figures, server = [], ""
    for sizes in _all_sizes(options):
        with place_of(sizes, options.homes) as place:
            server = place.server()
            figures.append(_measure(place, Population(sizes), options))
        Console(stderr=True).print(figures[-1], highlight=False)
    setting = Setting(
        "drawn memories, one server a size", f"drawing, {_dimension(figures)}", server
    )
    print_growth(setting, figures, console)
    if options.json:
        report = {"setting": asdict(setting), "stages": [asdict(each) for each in figures]}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


def _all_sizes(options: argparse.Namespace) -> Iterator[Sizes]:
    """One large organization beside a few small ones; then many small ones alone."""
    for large in options.sizes:
        yield Sizes(large, min(100, large), organizations=11, dimension=options.dimension)
    if options.many:
        yield Sizes(100, 100, organizations=options.many, dimension=options.dimension)


def _measure(place: Database, population: Population, options: argparse.Namespace) -> Figures:
    sizes = population.sizes
    filled = fill_once(place, population)
    questions = population.questions(options.questions)
    with memory_of(place, population, questions) as memory:
        milliseconds = _ask(memory, questions)
        exactly = questions[: min(options.exact, max(5, 20_000_000 // sizes.large))]
        found = [hits_of(memory, question) for question in exactly]
        is_exact = memory.recall(questions[0].words, limit=LIMIT).explain().is_exact
        with memory_of(comparing_all(place), population, questions) as comparing:
            best = [hits_of(comparing, question) for question in exactly]
        singles, batches = _write(memory, population)
    megabytes = _megabytes(place)
    delete_written(place, population)
    return Figures(
        stage=Stage(sizes.organizations, sizes.large, sizes.memories, sizes.dimension),
        recall=percentiles(milliseconds),
        is_exact=is_exact,
        shared=fmean(len(f & b) / len(b) for f, b in zip(found, best, strict=True)),
        compared=len(exactly),
        filled_per_second=sizes.memories / filled,
        singles_per_second=singles,
        batches_per_second=batches,
        megabytes=megabytes,
    )


def _ask(memory: Memory, questions: Sequence[Question]) -> list[float]:
    """Milliseconds of each, after all were asked once: the server's memory is warm then."""
    for question in questions:
        memory.recall(question.words, limit=LIMIT)
    return [_milliseconds(memory, question) for question in questions]


def _milliseconds(memory: Memory, question: Question) -> float:
    started = perf_counter()
    memory.recall(question.words, limit=LIMIT)
    return 1000 * (perf_counter() - started)


def _write(memory: Memory, population: Population, calls: int = 8) -> tuple[float, float]:
    """Memories written per second: one a call, and BATCH a call, messages of new conversations."""
    texts = (f"{text} Anew." for text in population.texts())
    singles = [[text] for text in islice(texts, BATCH)]
    batches = [list(islice(texts, BATCH)) for _ in range(calls)]
    return _rate(memory, singles), _rate(memory, batches)


def _rate(memory: Memory, calls: Sequence[Sequence[str]]) -> float:
    began = perf_counter()
    for number, texts in enumerate(calls):
        told = [{"role": "user", "content": text} for text in texts]
        memory.remember(told, context=f"{NEW}{len(texts)} {number // 20}", user_id="u1")
    return sum(map(len, calls)) / (perf_counter() - began)


def _megabytes(place: Database) -> dict[str, float]:
    with psycopg.connect(place.dsn) as connection:
        return dict(connection.execute(statement("growth_sizes")).fetchall())


def _dimension(figures: Sequence[Figures]) -> str:
    return f"{figures[0].stage.dimension} dimensions"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--sizes",
        type=int,
        nargs="*",
        default=[1_000, 10_000, 100_000],
        metavar="N",
        help="memories in one organization; 1000000 needs 12 GB of memory and 15 of disk",
    )
    parser.add_argument(
        "--many", type=int, default=0, metavar="N", help="so many organizations of 100 as well"
    )
    parser.add_argument(
        "--homes", type=Path, metavar="DIR", help="keep the servers there, and use them again"
    )
    parser.add_argument("--questions", type=int, default=200, metavar="N")
    parser.add_argument(
        "--exact", type=int, default=50, metavar="N", help="questions compared with exact scoring"
    )
    parser.add_argument("--dimension", type=int, default=256, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
