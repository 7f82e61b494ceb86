"""PostgreSQL's log: its files, timelines and positions, by name and number alone. Pure.

A file holds 16 MB of the log of one timeline; a recovery begins a new timeline, whose history
file says where it left the one before. The formats are those of PostgreSQL's documentation,
"Continuous Archiving".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

# What initdb makes unless it is told otherwise, and pgrecall tells it nothing.
SEGMENT_BYTES = 16 * 1024 * 1024
_PER_LOG = 0x1_0000_0000 // SEGMENT_BYTES
_SEGMENT = re.compile(r"([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})")
_HISTORY = re.compile(r"([0-9A-F]{8})\.history")
_STEP = re.compile(r"\s*(\d+)\s+([0-9A-F]+/[0-9A-F]+)", re.IGNORECASE)


@dataclass(frozen=True, order=True)
class Segment:
    """One file of the log: the `number`-th since the database was made, of one timeline."""

    number: int
    timeline: int

    @property
    def name(self) -> str:
        log, place = divmod(self.number, _PER_LOG)
        return f"{self.timeline:08X}{log:08X}{place:08X}"


@dataclass(frozen=True)
class Span:
    """The part of one timeline that belongs to a lineage, by positions; `end` None: all later."""

    timeline: int
    begin: int
    end: int | None


@dataclass(frozen=True)
class Lineage:
    """The timelines that led to the last of them, oldest first."""

    spans: tuple[Span, ...]

    @property
    def timeline(self) -> int:
        return self.spans[-1].timeline

    def holds(self, timeline: int, position: int) -> bool:
        """Whether what was written at that position of that timeline belongs to it."""
        return any(
            span.timeline == timeline and (span.end is None or position <= span.end)
            for span in self.spans
        )

    def candidates(self, number: int) -> list[Segment]:
        """The files that may hold the log of that number, in the order in which they are asked."""
        return [
            Segment(number, span.timeline)
            for span in reversed(self.spans)
            if span.begin // SEGMENT_BYTES <= number
            and (span.end is None or number <= span.end // SEGMENT_BYTES)
        ]


def find_segment(name: str) -> Segment | None:
    """The file that bears this name, whatever follows it (`.gz`, `.00000028.backup.gz`)."""
    found = _SEGMENT.match(name)
    if found is None:
        return None
    timeline, log, place = (int(part, 16) for part in found.groups())
    return Segment(log * _PER_LOG + place, timeline)


def parse_position(text: str) -> int:
    """A position such as 0/3000060 as the number of bytes since the database was made."""
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def list_timelines(names: Iterable[str]) -> list[int]:
    """The timelines that have a history file among these names, oldest first."""
    found = (_HISTORY.match(name) for name in names)
    return sorted(int(each[1], 16) for each in found if each)


def history_name(timeline: int) -> str:
    """The name of a timeline's history file."""
    return f"{timeline:08X}.history"


def lineage_of(timeline: int, history: str) -> Lineage:
    """The lineage of a timeline, from the text of its history file; of the first one, from ''."""
    spans: list[Span] = []
    begin = 0
    for step in map(_STEP.match, history.splitlines()):
        if step:
            end = parse_position(step[2])
            spans.append(Span(int(step[1]), begin, end))
            begin = end
    return Lineage((*spans, Span(timeline, begin, None)))


def list_reached(present: Collection[str], lineage: Lineage, first: int) -> list[Segment]:
    """The files of the lineage from number `first` on, up to the first one that is missing."""
    reached: list[Segment] = []
    while True:
        number = first + len(reached)
        found = [each for each in lineage.candidates(number) if each.name in present]
        if not found:
            return reached
        reached.append(found[0])


def list_outdated(names: Iterable[str], first_needed: int) -> list[str]:
    """The files of an archive that hold only log from before number `first_needed`.

    History files stay: they are small, and say how timelines hang together.
    """
    found = ((name, find_segment(name)) for name in names)
    return sorted(name for name, segment in found if segment and segment.number < first_needed)
