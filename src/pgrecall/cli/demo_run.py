"""What the demo does, and what it saw."""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psutil

from pgrecall import Change, Memory, MemoryRecord, Recall, Remembered
from pgrecall.cli.demo_story import Question, SlotValue, Story
from pgrecall.cli.output import Bar
from pgrecall.errors import NotFoundError

ORGANIZATION = "pgrecall-demo"
STRANGER = "pgrecall-demo-stranger"
HITS = 3


@dataclass(frozen=True, slots=True)
class Ingestion:
    """What was remembered: how many of each, and what became of them by status."""

    sessions: int
    turns: int
    facts: int
    statuses: dict[str, int]
    seconds: float

    @property
    def is_known(self) -> bool:
        """Whether all of it was there already."""
        return set(self.statuses) == {"duplicate"}


@dataclass(frozen=True, slots=True)
class Answer:
    """A question and its best hits."""

    question: Question
    found: Recall


@dataclass(frozen=True, slots=True)
class Slot:
    """All values of a slot, the oldest first, and what happened to them."""

    slot: str
    values: tuple[MemoryRecord, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Stranger:
    """What a caller of another organization sees: hits of all questions, and the error by id."""

    organization: str
    questions: int
    hits: int
    memory_id: UUID
    error: str


@dataclass(frozen=True, slots=True)
class Seen:
    """All that the demo shows. Seconds count from the start of the process."""

    database: str
    ingested: Ingestion
    answers: tuple[Answer, ...]
    slot: Slot
    stranger: Stranger
    seconds_to_first_recall: float
    seconds: float


def run(memory: Memory, stranger: Memory, story: Story, bar: Bar) -> Seen:
    """Remember the story, ask its questions, look back, and look from outside."""
    ingested, changing = _ingest(memory, story, bar)
    answers, first = [], 0.0
    for question in story.questions:
        answers.append(_ask(memory, story, question))
        first = first or _age()
    return Seen(
        database=memory.database,
        ingested=ingested,
        answers=tuple(answers),
        slot=_look_back(memory, story.changing, changing),
        stranger=_look_from_outside(stranger, story, changing),
        seconds_to_first_recall=first,
        seconds=_age(),
    )


def _ingest(memory: Memory, story: Story, bar: Bar) -> tuple[Ingestion, UUID]:
    """What became of all messages and facts, and the id of the changing slot's last value."""
    began, total = time.perf_counter(), story.turns + len(story.slots)
    statuses: Counter[str] = Counter()
    ids: dict[str, UUID] = {}
    for session in story.sessions:
        answers = memory.remember(
            list(session.messages), user_id=story.user, context=session.context
        )
        statuses.update(item.status for item in answers)
        bar(sum(statuses.values()), total)
    for value in story.slots:
        answer = _tell(memory, story, value)
        ids[value.slot] = answer.id
        statuses[answer.status] += 1
        bar(sum(statuses.values()), total)
    counts = len(story.sessions), story.turns, len(story.slots)
    seconds = time.perf_counter() - began
    return Ingestion(*counts, dict(statuses), seconds), ids[story.changing]


def _tell(memory: Memory, story: Story, value: SlotValue) -> Remembered:
    remembered_at = {session.context: session.began_at for session in story.sessions}
    return memory.remember(
        value.content,
        user_id=story.user,
        context=value.context,
        slot=value.slot,
        kind=value.kind,
        occurred_at=remembered_at[value.context],
        valid_from=value.valid_from,
        idempotency_key=value.key,
    )


def _ask(memory: Memory, story: Story, question: Question) -> Answer:
    found = memory.recall(
        question.query,
        user_id=story.user,
        since=question.since,
        until=question.until,
        as_of=question.as_of,
        limit=HITS,
    )
    return Answer(question, found)


def _look_back(memory: Memory, slot: str, memory_id: UUID) -> Slot:
    changes = memory.history(memory_id)
    ids = {change.memory_id for change in changes}
    values = sorted((memory.get(each) for each in ids), key=lambda value: value.valid_from)
    return Slot(slot, tuple(values), tuple(changes))


def _look_from_outside(stranger: Memory, story: Story, memory_id: UUID) -> Stranger:
    hits = sum(len(_ask(stranger, story, question).found) for question in story.questions)
    try:
        error = f"found: {stranger.get(memory_id).content}"
    except NotFoundError as not_found:
        error = f"{type(not_found).__name__}: {not_found.message}"
    return Stranger(STRANGER, len(story.questions), hits, memory_id, error)


def _age() -> float:
    """How many seconds this process has run; where there is no /proc, give or take one."""
    try:
        status = Path("/proc/self/stat").read_text()
    except OSError:
        began: float = psutil.Process().create_time()
        return time.time() - began
    # From the boot, in ticks: the 22nd value, of which the second may hold spaces; see proc(5).
    ticks = int(status.rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
