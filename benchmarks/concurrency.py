"""Many clients at once on one Memory and its pool: throughput, times, and the pool at its limit.

    python -m benchmarks.concurrency

Each client asks and, every fifth time, writes a message, one call after the other. Clients are
threads on one `Memory`, or with `--asyncio` tasks on one `AsyncMemory`. The last measurement gives
64 clients a pool of two connections and little patience: each call must either succeed or raise
PoolTimeoutError, in bounded time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from threading import Thread
from time import perf_counter
from typing import Any

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rich.console import Console
from rich.table import Table

from benchmarks.databases import Database, database
from benchmarks.filling import fill
from benchmarks.populated import NEW, Drawn, delete_written
from benchmarks.population import AGENT, Population, Question, Sizes
from benchmarks.report import Setting
from benchmarks.timing import Times, summarize
from pgrecall import AsyncMemory, Memory
from pgrecall._sync.migrate import migrate
from pgrecall.errors import PoolTimeoutError

WRITES = 5
"""Every so many calls of a client is a write."""
NARROW = {"pool_max_size": 2, "pool_timeout": 0.2}
RECALL, WRITE = "recall", "write"
WRITTEN = f"{NEW}messages"
"""The conversation that the clients write to."""


@dataclass
class Load:
    """Milliseconds of the calls by kind, and of those that got no connection."""

    done: dict[str, list[float]] = field(default_factory=lambda: {RECALL: [], WRITE: []})
    refused: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Figures:
    """`refused`: calls that raised PoolTimeoutError, `longest_refused` the milliseconds of the
    slowest of them; `stuck`: clients that had not ended long after their time.
    """

    clients: int
    pool: int
    calls_per_second: float
    recall: Times | None
    write: Times | None
    refused: int
    longest_refused: float
    stuck: int


@dataclass(frozen=True)
class Work:
    """What a client does with its calls, for so many seconds."""

    questions: Sequence[Question]
    seconds: float
    serial: count[int] = field(default_factory=count)

    def plan(self, client: int) -> Callable[[int], tuple[str, str]]:
        """The kind and the text of each call of a client."""

        def call(number: int) -> tuple[str, str]:
            place = (client * 17 + number) % len(self.questions)
            if (number + client) % WRITES == WRITES - 1:
                return WRITE, f"{self.questions[place].words} {next(self.serial)}"
            return RECALL, self.questions[place].words

        return call


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    population = Population(Sizes(options.memories, 100, organizations=20))
    questions = population.questions(200)
    run = _run_tasks if options.asyncio else _run_threads
    with database(options.dsn) as place:
        migrate(place.dsn)
        fill(place.dsn, population)
        figures = []
        for clients, settings in [*((n, {}) for n in options.clients), (64, NARROW)]:
            arguments = _arguments(place, population, questions, settings)
            figures.append(run(arguments, clients, Work(questions, options.seconds)))
            delete_written(place, population)
        server = place.server()
    setting = Setting(f"{options.memories} memories", "drawing, 256 dimensions", server)
    _print(setting, figures, Console(markup=False, highlight=False))
    if options.json:
        report = {"setting": asdict(setting), "loads": [asdict(each) for each in figures]}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


def _arguments(
    place: Database, population: Population, questions: Sequence[Question], settings: dict[str, Any]
) -> dict[str, Any]:
    return {
        "dsn": place.memory_dsn,
        "organization": population.organization_id(0),
        "agent_id": AGENT,
        "embedder": Drawn(population, questions),
        "settings": place.settings.model_copy(update=settings),
    }


def _run_threads(arguments: dict[str, Any], clients: int, work: Work) -> Figures:
    loads = [Load() for _ in range(clients)]
    with Memory(**arguments) as memory:
        memory.list(limit=1)
        until = perf_counter() + work.seconds
        threads = [
            Thread(target=_client, args=(memory, work.plan(number), until, load), daemon=True)
            for number, load in enumerate(loads)
        ]
        began = perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, until + _patience(arguments) - perf_counter()))
        took = perf_counter() - began
        stuck = sum(thread.is_alive() for thread in threads)
    return summary(loads, took, arguments["settings"].pool_max_size, stuck)


def _client(
    memory: Memory, plan: Callable[[int], tuple[str, str]], until: float, load: Load
) -> None:
    for number in count():
        if perf_counter() > until:
            return
        kind, text = plan(number)
        began = perf_counter()
        try:
            if kind == RECALL:
                memory.recall(text)
            else:
                memory.remember({"role": "user", "content": text}, context=WRITTEN, user_id="u1")
        except PoolTimeoutError:
            load.refused.append(1000 * (perf_counter() - began))
        else:
            load.done[kind].append(1000 * (perf_counter() - began))


def _run_tasks(arguments: dict[str, Any], clients: int, work: Work) -> Figures:
    return asyncio.run(_tasks(arguments, clients, work))


async def _tasks(arguments: dict[str, Any], clients: int, work: Work) -> Figures:
    loads = [Load() for _ in range(clients)]
    async with AsyncMemory(**arguments) as memory:
        await memory.list(limit=1)
        began = perf_counter()
        until = began + work.seconds
        tasks = [
            asyncio.create_task(_task(memory, work.plan(number), until, load))
            for number, load in enumerate(loads)
        ]
        _, stuck = await asyncio.wait(tasks, timeout=work.seconds + _patience(arguments))
        took = perf_counter() - began
    return summary(loads, took, arguments["settings"].pool_max_size, len(stuck))


async def _task(
    memory: AsyncMemory, plan: Callable[[int], tuple[str, str]], until: float, load: Load
) -> None:
    for number in count():
        if perf_counter() > until:
            return
        kind, text = plan(number)
        began = perf_counter()
        try:
            if kind == RECALL:
                await memory.recall(text)
            else:
                await memory.remember(
                    {"role": "user", "content": text}, context=WRITTEN, user_id="u1"
                )
        except PoolTimeoutError:
            load.refused.append(1000 * (perf_counter() - began))
        else:
            load.done[kind].append(1000 * (perf_counter() - began))


def _patience(arguments: dict[str, Any]) -> float:
    """Seconds after its time in which a client that waits for a connection must have ended."""
    return 5 + 2 * float(arguments["settings"].pool_timeout)


def summary(loads: Sequence[Load], seconds: float, pool: int, stuck: int) -> Figures:
    done = {kind: [ms for load in loads for ms in load.done[kind]] for kind in (RECALL, WRITE)}
    refused = [ms for load in loads for ms in load.refused]
    return Figures(
        clients=len(loads),
        pool=pool,
        calls_per_second=sum(map(len, done.values())) / seconds,
        recall=summarize(done[RECALL]) if done[RECALL] else None,
        write=summarize(done[WRITE]) if done[WRITE] else None,
        refused=len(refused),
        longest_refused=max(refused, default=0.0),
        stuck=stuck,
    )


def _print(setting: Setting, figures: Sequence[Figures], console: Console) -> None:
    console.print(f"$ {setting.command}", soft_wrap=True)
    console.print(f"{setting.data}; vectors by {setting.model}", soft_wrap=True)
    console.print(f"pgrecall {setting.pgrecall}, {setting.server}, {setting.machine}\n")
    table = Table(box=None, padding=(0, 2, 0, 0))
    names = (
        "pool",
        "calls/s",
        "recall p50",
        "p95",
        "write p50",
        "p95",
        "refused",
        "longest",
        "stuck",
    )
    for name in ("clients", *names):
        table.add_column(name, justify="right")
    for each in figures:
        table.add_row(*_cells(each))
    console.print(table)
    console.print("\nmilliseconds; refused: PoolTimeoutError, longest: until it was raised")


def _cells(each: Figures) -> list[str]:
    times = [
        f"{value:.1f}" if kind else "-"
        for kind in (each.recall, each.write)
        for value in ((kind.p50, kind.p95) if kind else (0, 0))
    ]
    longest = f"{each.longest_refused:.0f}" if each.refused else "-"
    rate = f"{each.calls_per_second:.0f}"
    return [
        str(each.clients),
        str(each.pool),
        rate,
        *times,
        str(each.refused),
        longest,
        str(each.stuck),
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.concurrency", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--dsn",
        help="a superuser's, without memories; default: DATABASE_URL, or an embedded server",
    )
    parser.add_argument(
        "--clients", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32, 64], metavar="N"
    )
    parser.add_argument("--seconds", type=float, default=5, metavar="S", help="for each")
    parser.add_argument("--memories", type=int, default=1_000, metavar="N")
    parser.add_argument("--asyncio", action="store_true", help="tasks in place of threads")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
