"""Moving to another embedding model while clients recall and remember.

    python -m benchmarks.reembedding

An agent's memories have vectors of one model. Clients ask the same questions over and over, and
one goes on remembering, while a second model is filled in, switched to, and the first one dropped.
What must not happen: an error, or a recall that returns fewer hits than before. The models are
hashes of words, so that their own time is small; they are of two dimensions, both indexed.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import count, cycle
from pathlib import Path
from typing import Any

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg
from rich.console import Console
from rich.table import Table

from benchmarks.databases import Database, database
from benchmarks.population import Population, Sizes
from benchmarks.report import Setting
from benchmarks.timing import Rate, summarize
from pgrecall import Memory
from pgrecall._sync.migrate import migrate
from pgrecall.errors import PgRecallError
from pgrecall.testing import HashingEmbedder

OLD, NEW = HashingEmbedder(256), HashingEmbedder(384)
HITS = 10
QUESTIONS = 40
WRITING_PAUSE = 0.05


@dataclass
class Phase:
    """What clients saw in one phase; `fewer`: recalls with fewer hits than that question had."""

    name: str
    seconds: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    fewest: int = HITS
    fewer: int = 0
    written: int = 0
    errors: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        times = summarize(self.milliseconds)
        return {
            "phase": self.name,
            "seconds": self.seconds,
            "recalls": times.calls,
            "p50_ms": times.p50,
            "p95_ms": times.p95,
            "fewest_hits": self.fewest,
            "fewer_than_before": self.fewer,
            "written": self.written,
            "errors": self.errors,
        }


@dataclass
class Course:
    """The phases so far; clients report to the last one. `hits` are those of each question."""

    phases: list[Phase] = field(default_factory=list)
    hits: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str, *, at_least: float = 0.0) -> Iterator[None]:
        self.phases.append(Phase(name))
        began = time.perf_counter()
        yield
        time.sleep(max(0.0, at_least - (time.perf_counter() - began)))
        self.phases[-1].seconds = time.perf_counter() - began

    def hear(self, question: str, hits: int, milliseconds: float) -> None:
        phase = self.phases[-1]
        phase.milliseconds.append(milliseconds)
        phase.fewest = min(phase.fewest, hits)
        phase.fewer += hits < self.hits[question]


@dataclass(frozen=True)
class Place:
    """The agent whose memories are embedded anew."""

    database: Database

    def open(self, embedder: HashingEmbedder) -> Memory:
        return Memory(
            self.database.memory_dsn,
            organization=f"reembedding{self.database.suffix}",
            embedder=embedder,
            settings=self.database.settings,
        )


@dataclass
class Client:
    """A thread that does something over and over until it is ended."""

    course: Course
    memory: Memory
    ended: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread = field(init=False)

    def ask(self, questions: Sequence[str]) -> None:
        for question in cycle(questions):
            if self.ended.is_set():
                return
            began = time.perf_counter()
            try:
                hits = len(self.memory.recall(question, limit=HITS))
            except PgRecallError as error:
                self.course.phases[-1].errors.append(str(error))
            else:
                self.course.hear(question, hits, 1000 * (time.perf_counter() - began))

    def tell(self) -> None:
        for number in count():
            if self.ended.wait(WRITING_PAUSE):
                return
            try:
                self.memory.remember(f"Meanwhile {self.memory} noted remark number {number}.")
                self.course.phases[-1].written += 1
            except PgRecallError as error:
                self.course.phases[-1].errors.append(str(error))


@contextmanager
def working(place: Place, course: Course, embedder: HashingEmbedder, asking: int) -> Iterator[None]:
    """Some clients that ask, and one that tells, all with one embedder."""
    questions = list(course.hits)
    with place.open(embedder) as memory:
        memory.list(limit=1)
        clients = [Client(course, memory) for _ in range(asking + 1)]
        works = [(client.ask, (questions,)) for client in clients[1:]]
        threads = [threading.Thread(target=work, args=given) for work, given in works]
        threads.append(threading.Thread(target=clients[0].tell))
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            for client in clients:
                client.ended.set()
            for thread in threads:
                thread.join()


def measure(place: Place, memories: int, asking: int, seconds: float) -> tuple[Course, Rate]:
    """All phases, and the rate at which the other model was filled in."""
    course = Course()
    population = Population(Sizes(memories, memories, 1))
    with place.open(OLD) as old:
        old.remember(list(population.texts()))
        questions = [question.words for question in population.questions(QUESTIONS)]
        course.hits = {words: len(old.recall(words, limit=HITS)) for words in questions}
    with place.open(NEW) as new:
        with working(place, course, OLD, asking):
            with course.phase("before", at_least=seconds):
                pass
            with course.phase("filling in"):
                filled = new.embeddings.backfill()
            rate = Rate(filled.stored, course.phases[-1].seconds)
            with course.phase("switching"):
                new.embeddings.switch(NEW.model, allow_missing=memories // 100)
            with working(place, course, NEW, asking), course.phase("both models", at_least=seconds):
                pass
        with working(place, course, NEW, asking):
            with course.phase("the rest"):
                new.embeddings.backfill()
            with course.phase("dropping"):
                new.embeddings.drop(OLD.model)
            with course.phase("after", at_least=seconds):
                pass
        [last] = [each for each in new.embeddings.status() if each.state == "current"]
        if last.missing > 2:
            raise RuntimeError(f"{last.missing} memories have no vector of {last.model}")
    return course, rate


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    with database(options.dsn) as found:
        migrate(found.dsn)
        course, rate = measure(Place(found), options.memories, options.clients, options.seconds)
        setting = _setting(found.dsn, options.memories, options.clients)
    _print(setting, course, rate, Console(markup=False, highlight=False))
    if options.json:
        phases = [phase.figures() for phase in course.phases]
        report = {"setting": asdict(setting), "phases": phases, "filled": asdict(rate)}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return int(any(phase.errors or phase.fewer for phase in course.phases))


def _setting(dsn: str, memories: int, clients: int) -> Setting:
    with psycopg.connect(dsn) as connection:
        major, minor = divmod(connection.info.server_version, 10000)
    return Setting(
        data=f"{memories} memories, {clients} clients that recall and 1 that remembers a model",
        model=f"{OLD.model}, then {NEW.model}",
        server=f"PostgreSQL {major}.{minor}",
    )


def _print(setting: Setting, course: Course, rate: Rate, console: Console) -> None:
    console.print(f"$ {setting.command}", soft_wrap=True)
    console.print(f"{setting.data}; vectors by {setting.model}", soft_wrap=True)
    console.print(f"pgrecall {setting.pgrecall}, {setting.server}, {setting.machine}\n")
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("phase", no_wrap=True)
    for name in ("seconds", "recalls", "p50 ms", "p95 ms", "hits", "fewer", "writes", "errors"):
        table.add_column(name, justify="right", no_wrap=True)
    for phase in course.phases:
        table.add_row(phase.name, *_cells(phase))
    console.print(table)
    console.print("\nhits: the fewest of a recall; fewer: recalls with fewer than before")
    console.print(f"{rate.memories} vectors filled in, {rate.per_second:,.0f} a second")
    for error in {error for phase in course.phases for error in phase.errors}:
        console.print(f"error: {error}")


def _cells(phase: Phase) -> list[str]:
    times = f"{0:.1f}", f"{0:.1f}"
    if phase.milliseconds:
        found = summarize(phase.milliseconds)
        times = f"{found.p50:.1f}", f"{found.p95:.1f}"
    counts = len(phase.milliseconds), phase.fewest, phase.fewer, phase.written, len(phase.errors)
    calls, fewest, fewer, written, errors = map(str, counts)
    return [f"{phase.seconds:.2f}", calls, *times, fewest, fewer, written, errors]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/reembedding.py", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--dsn", help="default: DATABASE_URL, or an embedded server")
    parser.add_argument("--memories", type=int, default=10_000, metavar="N")
    parser.add_argument("--clients", type=int, default=2, metavar="N", help="that recall, a model")
    parser.add_argument(
        "--seconds", type=float, default=5.0, metavar="N", help="before, between and after"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
