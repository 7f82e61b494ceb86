"""An import into an empty database: into the indexes of search row by row, and built afterwards.

    python -m benchmarks.bulk_import --memories 100000

The vectors are drawn beforehand, so no embedder plays a part.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import islice
from pathlib import Path
from time import perf_counter

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rich.console import Console
from rich.table import Table

from benchmarks.databases import database
from benchmarks.populated import Drawn
from benchmarks.population import Population, Sizes
from benchmarks.report import Setting
from pgrecall import Memory
from pgrecall.domain.identity import organization_uuid
from pgrecall.ops.backup.indexes import OnStep, built_after_import
from pgrecall.testing.databases import template_database

PAGE = 256
ORGANIZATION = "large"


def measure(server: str, population: Population) -> dict[str, float]:
    """Seconds of each way, each in a database of its own."""
    seconds = {}
    for way in ("row by row", "built afterwards"):
        with template_database(server) as dsn:
            is_afterwards = way == "built afterwards"
            seconds[way] = _import(
                dsn, population, _indexes(dsn) if is_afterwards else nullcontext()
            )
    return seconds


def _import(dsn: str, population: Population, indexes: AbstractContextManager[None]) -> float:
    embedder = Drawn(population, [])
    with Memory(dsn, organization=ORGANIZATION, embedder=embedder) as memory:
        memory.open()
        began = perf_counter()
        with indexes:
            texts = population.texts()
            while page := [{"content": text} for text in islice(texts, PAGE)]:
                memory.transfer.store(page)
        return perf_counter() - began


def _indexes(dsn: str) -> AbstractContextManager[None]:
    return built_after_import(dsn, organization_uuid(ORGANIZATION), "drawn", _nobody_hears)


@contextmanager
def _nobody_hears() -> Iterator[OnStep]:
    yield lambda step, done, total: None


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    population = Population(Sizes(options.memories, 0, 1, options.dimension))
    with database(options.dsn) as found:
        seconds = measure(found.dsn, population)
        data = f"{options.memories:,} memories, vectors of {options.dimension} dimensions"
        setting = Setting(data, Drawn.model, found.server())
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("indexes", "seconds", "memories/s", "times as fast"):
        table.add_column(name, justify="left" if name == "indexes" else "right")
    for way, taken in seconds.items():
        ratio = seconds["row by row"] / taken
        table.add_row(way, f"{taken:.1f}", f"{options.memories / taken:,.0f}", f"{ratio:.2f}")
    out = Console()
    out.print(f"{setting.data}; {setting.server}; {setting.machine}", soft_wrap=True)
    out.print(table)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--memories", type=int, default=30_000, metavar="COUNT")
    parser.add_argument("--dimension", type=int, default=256, metavar="COUNT")
    parser.add_argument("--dsn", help="a server, by a superuser; else an embedded one")
    return parser


if __name__ == "__main__":
    sys.exit(main())
