"""What Row Level Security and the caller's verification cost.

    python -m benchmarks.rls

Each statement is timed as a program of one organization sends it, under the application's role,
and beside it as the owner of the schema sends it with the organization named by the statement: by
turns, in one run, so that what else the machine does falls on both. Commits wait for no disk, which
would take the same time on both sides and hide what is measured.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import psycopg
from rich.console import Console
from rich.table import Table

from benchmarks.databases import database
from benchmarks.filling import Rows, fill
from benchmarks.population import AGENT, MODEL, Population, Sizes
from benchmarks.report import Setting
from benchmarks.statements import statement
from benchmarks.timing import Ask, Times, summarize, time_interleaved
from pgrecall._sync.migrate import migrate

WITH, WITHOUT = "with", "without"


@dataclass(frozen=True)
class Pair:
    """One piece of work, both ways: `asks` of WITH and WITHOUT take each of `items`."""

    name: str
    asks: Mapping[str, Ask]
    items: Sequence[str]
    target: float | None = None


@dataclass(frozen=True)
class Overhead:
    """Times of a pair; `ratio` of their medians, `target` the most it may be."""

    name: str
    times: Mapping[str, Times]
    target: float | None

    @property
    def ratio(self) -> float:
        return self.times[WITH].p50 / self.times[WITHOUT].p50


@dataclass(frozen=True)
class Sides:
    """A connection as the application's role with claims, and one as the owner."""

    application: Rows
    owner: Rows
    population: Population

    def asks(
        self, name: str, beside: str, values: Callable[[str], dict[str, Any]]
    ) -> dict[str, Ask]:
        """Two statements with the same values, the first of them for the application."""
        return {
            WITH: partial(self._run, self.application, statement(name), values),
            WITHOUT: partial(self._run, self.owner, statement(beside), values),
        }

    def _run(
        self, connection: Rows, sql: bytes, values: Callable[[str], dict[str, Any]], item: str
    ) -> list[tuple[Any, ...]]:
        organization_id = self.population.organization_id(0)
        named = {"organization_id": organization_id, "agent_id": AGENT, "model": MODEL}
        rows = connection.execute(sql, named | values(item)).fetchall()
        if not rows:
            raise RuntimeError(f"no row came back for {item}")
        return rows


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    population = Population(Sizes(options.memories, options.memories, options.organizations))
    with database(options.dsn) as place:
        migrate(place.dsn)
        _require_empty(place.dsn)
        fill(place.dsn, population)
        with ExitStack() as stack:
            sides = _open(place.dsn, population, stack)
            overheads = [_measure(pair) for pair in _pairs(sides, options.repeat)]
            setting = _setting(sides)
    _print(setting, overheads, Console(markup=False, highlight=False))
    if options.json:
        figures = [asdict(overhead) | {"ratio": overhead.ratio} for overhead in overheads]
        report = json.dumps({"setting": asdict(setting), "overheads": figures}, indent=2)
        options.json.write_text(report + "\n", encoding="utf-8")
    return 0


def _pairs(sides: Sides, repeat: int) -> list[Pair]:
    return [*_recalls(sides, repeat // 4), *_reads(sides, repeat), *_writes(sides, repeat)]


def _recalls(sides: Sides, repeat: int) -> list[Pair]:
    """Of a scope that is compared one by one, by its words and by a vector too."""
    questions = {question.words: question for question in sides.population.questions(repeat)}
    vectors = {words: question.vector for words, question in questions.items()}
    by_words = sides.asks(
        "rls_recall", "rls_recall_bare", lambda words: {"query": words, "query_embedding": None}
    )
    by_both = sides.asks(
        "rls_recall",
        "rls_recall_bare",
        lambda words: {"query": words, "query_embedding": vectors[words]},
    )
    return [
        Pair("recall by words", by_words, list(questions), 1.15),
        Pair("recall by words and vector", by_both, list(questions), 1.15),
    ]


def _reads(sides: Sides, repeat: int) -> list[Pair]:
    sizes = sides.population.sizes
    numbers = np.random.default_rng(1).integers(sizes.large, size=repeat)
    ids = [str(sides.population.memory_id(int(number))) for number in numbers]
    asks = sides.asks("rls_read", "rls_read_bare", lambda id_: {"id": id_})
    return [Pair("read of a row by its id", asks, ids, 1.6)]


def _writes(sides: Sides, repeat: int) -> list[Pair]:
    """First beside the same steps without the caller, then beside the least that stores the row.

    The difference of the two is what reading JSON, checking it and answering for each item cost.
    """
    return [
        _write(sides, "write of one memory", "rls_write_unchecked", repeat, 1.8),
        _write(sides, "write, beside a plain INSERT", "rls_write_bare", repeat, None),
    ]


def _write(sides: Sides, name: str, beside: str, repeat: int, target: float | None) -> Pair:
    """Each text is made new with every call: one that is there already would not be written."""
    serial = count(1)
    asks = sides.asks("rls_write", beside, lambda text: _memory(f"{text} {beside} {next(serial)}"))
    return Pair(name, asks, list(islice(sides.population.texts(), repeat)), target)


def _memory(text: str) -> dict[str, Any]:
    return {"content": text, "memories": json.dumps([{"content": text}])}


def _measure(pair: Pair) -> Overhead:
    times = time_interleaved(pair.asks, pair.items)
    return Overhead(pair.name, {side: summarize(times[side]) for side in times}, pair.target)


def _open(dsn: str, population: Population, stack: ExitStack) -> Sides:
    """Both sides send each statement as a transaction of its own, prepared by neither."""
    application, owner = (
        stack.enter_context(psycopg.connect(dsn, autocommit=True, prepare_threshold=None))
        for _ in range(2)
    )
    for connection in (application, owner):
        connection.execute(statement("rls_settings"))
    organization = {"organization_id": str(population.organization_id(0))}
    claims = {"sub": f"agent:{AGENT}", "app_metadata": organization}
    application.execute(statement("rls_act_as"), {"claims": json.dumps(claims)})
    return Sides(application, owner, population)


def _require_empty(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(statement("rls_is_empty")).fetchone()
    if not (row and row[0]):
        raise SystemExit("the benchmark fills the whole database: name one without memories")


def _setting(sides: Sides) -> Setting:
    sizes = sides.population.sizes
    major, minor = divmod(sides.owner.info.server_version, 10000)
    return Setting(
        data=f"{sizes.organizations} organizations of {sizes.large} memories",
        model=f"drawing, {sizes.dimension} dimensions",
        server=f"PostgreSQL {major}.{minor}",
    )


def _print(setting: Setting, overheads: Sequence[Overhead], console: Console) -> None:
    console.print(f"$ {setting.command}", soft_wrap=True)
    console.print(f"{setting.data}; vectors by {setting.model}", soft_wrap=True)
    console.print(f"pgrecall {setting.pgrecall}, {setting.server}, {setting.machine}\n")
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("median ms", no_wrap=True)
    for name in ("under RLS", "without", "ratio", "at most", "pairs"):
        table.add_column(name, justify="right", no_wrap=True)
    for overhead in overheads:
        table.add_row(*_cells(overhead))
    console.print(table)


def _cells(overhead: Overhead) -> list[str]:
    under, without = overhead.times[WITH], overhead.times[WITHOUT]
    target = f"{overhead.target:.2f}" if overhead.target else "-"
    medians = [f"{under.p50:.3f}", f"{without.p50:.3f}", f"{overhead.ratio:.2f}"]
    return [overhead.name, *medians, target, str(under.calls)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/rls.py", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--dsn",
        help="a superuser's, without memories; default: DATABASE_URL, or an embedded server",
    )
    parser.add_argument("--memories", type=int, default=2_000, metavar="N", help="per organization")
    parser.add_argument("--organizations", type=int, default=20, metavar="N")
    parser.add_argument(
        "--repeat", type=int, default=400, metavar="N", help="pairs of each statement"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
