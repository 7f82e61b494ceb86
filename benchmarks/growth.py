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
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from statistics import fmean
from time import perf_counter

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import psycopg
from psycopg.conninfo import make_conninfo
from rich.console import Console

from benchmarks.databases import Database, database
from benchmarks.filling import fill
from benchmarks.growth_report import Figures, Stage, print_growth
from benchmarks.population import AGENT, MODEL, Population, Question, Sizes
from benchmarks.report import Setting
from benchmarks.statements import statement
from benchmarks.timing import percentiles
from pgrecall import Memory, Settings, embedded
from pgrecall._sync.migrate import migrate
from pgrecall.embedding import Vector, Vectors

BATCH = 128
LIMIT = 10


class Drawn:
    """The population's vectors: each question's own, and for new texts those of old memories."""

    model = MODEL

    def __init__(self, population: Population, questions: Sequence[Question]) -> None:
        self.dimension = population.sizes.dimension
        self._vectors = population.vectors
        self._asked = {each.words: np.array(each.vector, np.float32) for each in questions}
        self._next = 0

    def embed(self, texts: Sequence[str], /) -> Vectors:
        places = np.arange(self._next, self._next + len(texts)) % len(self._vectors)
        self._next += len(texts)
        vectors: Vectors = self._vectors[places]
        return vectors

    def embed_query(self, text: str, /) -> Vector:
        return self._asked[text]


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    console = Console(markup=False, highlight=False)
    figures, server = [], ""
    for sizes in _all_sizes(options):
        with _place(sizes, options.homes) as place:
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


@contextmanager
def _place(sizes: Sizes, homes: Path | None) -> Iterator[Database]:
    """A server that is gone afterwards, or in `homes` one that stays."""
    if homes is None:
        with database(None) as place:
            yield place
        return
    homes.mkdir(parents=True, exist_ok=True)
    with embedded.join(homes / f"{sizes.large}-{sizes.organizations}-{sizes.dimension}") as lease:
        yield Database(lease.dsn, lease.dsn, Settings(home=lease.home))


def _measure(place: Database, population: Population, options: argparse.Namespace) -> Figures:
    sizes = population.sizes
    filled = _fill(place, population)
    questions = population.questions(options.questions)
    with _memory(place, population, questions) as memory:
        milliseconds = _ask(memory, questions)
        exactly = questions[: min(options.exact, max(5, 20_000_000 // sizes.large))]
        found = [_found(memory, question) for question in exactly]
        is_exact = memory.recall(questions[0].words, limit=LIMIT).explain().is_exact
        with _memory(_comparing_all(place), population, questions) as comparing:
            best = [_found(comparing, question) for question in exactly]
        singles, batches = _write(memory, population)
    megabytes = _megabytes(place)
    _delete_written(place, population)
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


def _fill(place: Database, population: Population) -> float:
    """Seconds of writing all and building the indexes; nothing is written twice."""
    with psycopg.connect(place.dsn) as connection:
        row = connection.execute(statement("growth_is_filled")).fetchone()
    if row and row[0]:
        return math.nan
    migrate(place.dsn)
    began = perf_counter()
    fill(place.dsn, population)
    return perf_counter() - began


def _comparing_all(place: Database) -> Database:
    """The same, with no scope too large to be compared one by one."""
    dsn = make_conninfo(place.dsn, options="-c pgrecall.exact_limit=999999999")
    return replace(place, memory_dsn=dsn)


def _memory(place: Database, population: Population, questions: Sequence[Question]) -> Memory:
    return Memory(
        place.memory_dsn,
        organization=population.organization_id(0),
        agent_id=AGENT,
        embedder=Drawn(population, questions),
        settings=place.settings.model_copy(update={"statement_timeout": 0}),
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


def _found(memory: Memory, question: Question) -> set[str]:
    return {str(hit.id) for hit in memory.recall(question.words, limit=LIMIT)}


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
        memory.remember(told, context=f"new {len(texts)} {number // 20}", user_id="u1")
    return sum(map(len, calls)) / (perf_counter() - began)


def _delete_written(place: Database, population: Population) -> None:
    with psycopg.connect(place.dsn) as connection:
        organization = {"organization_id": population.organization_id(0)}
        connection.execute(statement("growth_delete_written"), organization)


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
