"""How things look in text: bars, dates, hits, memories, changes. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from rich.text import Text

from pgrecall.domain.config import AgentSetting, ConfigChange
from pgrecall.domain.hit import Hit, Signals
from pgrecall.domain.memory import Change, MemoryRecord
from pgrecall.recall.explanation import Part

BAR_CELLS = 6

# What a text of somebody else's must not do to a terminal: control it, or turn its direction.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# From how many days on a time is told in which unit, and how many days that has.
_UNITS = ((730, (365, "year")), (60, (30, "month")), (14, (7, "week")), (1, (1, "day")))
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@dataclass(frozen=True, slots=True)
class Blocks:
    """The characters of a bar: a full cell, parts of one from small to large, an empty one."""

    full: str
    parts: str
    empty: str


UNICODE = Blocks(full="█", parts="▏▎▍▌▋▊▉", empty="░")


def visible(text: str) -> str:
    """The text on one line, without anything that controls a terminal."""
    return _UNPRINTABLE.sub("�", " ".join(text.split()))


def bar(share: float, blocks: Blocks = UNICODE) -> str:
    """A share from 0 to 1 as a bar of six cells."""
    steps = len(blocks.parts) + 1
    filled = round(min(max(share, 0.0), 1.0) * BAR_CELLS * steps)
    cells = blocks.full * (filled // steps)
    if filled % steps:
        cells += blocks.parts[filled % steps - 1]
    return cells + blocks.empty * (BAR_CELLS - len(cells))


def bars(signals: Signals, blocks: Blocks = UNICODE, *, with_numbers: bool = False) -> Text:
    """A bar for each signal; one that did not run says so."""
    line = Text()
    for name, value in asdict(signals).items():
        line.append(f"{'  ' if line else ''}{name} ", "dim")
        if value is None:
            line.append("did not run", "dim italic")
            continue
        line.append(bar(value, blocks), "cyan")
        if with_numbers:
            line.append(f" {value:.2f}", "dim")
    return line


def part_bar(part: Part, blocks: Blocks = UNICODE) -> Text:
    """One signal's part of a score: how strong it is here, its weight, what that adds."""
    line = Text(f"{part.name.replace('_', ' '):<16}", "dim")
    line.append(bar(part.scaled, blocks), "cyan")
    line.append(f" {part.scaled:.2f}", "dim").append(f" x {part.weight:.2f} = ", "dim")
    line.append(f"+{part.contribution:.3f}", "green")
    raw = "" if part.raw is None else f"  (raw {part.raw:.3f})"
    return line.append(raw, "dim")


def day(at: datetime) -> str:
    """The day in UTC, such as `3 Mar 2026`."""
    at = at.astimezone(UTC)
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"


def ago(at: datetime, now: datetime) -> str:
    """How long ago that is, roughly: `today`, `3 weeks ago`, `in 2 days`."""
    days = (now.date() - at.astimezone(now.tzinfo).date()).days
    if days == 0:
        return "today"
    length, name = next(unit for least, unit in _UNITS if abs(days) >= least)
    count = abs(days) // length
    amount = f"{count} {name}{'s' if count > 1 else ''}"
    return f"{amount} ago" if days > 0 else f"in {amount}"


def lead(place: int, score: float) -> Text:
    """What stands before a hit: its place and score."""
    return Text.assemble((f"{place:>2}. ", "dim"), (f"{score:.2f}  ", "bold green"))


def hit_text(hit: Hit, now: datetime) -> Text:
    """What a hit says, and when that was."""
    when = f"{day(hit.occurred_at)}, {ago(hit.occurred_at, now)}"
    until = f", true until {day(hit.valid_to)}" if hit.valid_to else ""
    return Text(visible(hit.content)).append(f"  ({when}{until})", "dim")


def origin(hit: Hit) -> Text:
    """What a hit is, whom it is about, and its id."""
    parts = hit.kind, hit.user_id, str(hit.id)
    return Text(" · ".join(visible(part) for part in parts if part), "dim")


def memory_lines(record: MemoryRecord) -> tuple[Text, Text]:
    """A memory in a list: id, day and kind, then its text and what is special about it."""
    start = Text(f"{record.id}  ", "dim").append(f"{record.occurred_at:%Y-%m-%d}  ", "not dim")
    start.append(f"{record.kind:<10}  ", "not dim cyan")
    marks = [
        f"by {record.speaker}" if record.speaker else "",
        f"slot {record.slot}" if record.slot else "",
        f"until {day(record.valid_to)}" if record.valid_to else "",
        "forgotten" if record.forgotten_at else "",
    ]
    notes = ", ".join(visible(mark) for mark in marks if mark)
    return start, Text(visible(record.content)).append(f"  ({notes})" if notes else "", "dim")


def change_lines(change: Change) -> tuple[Text, Text]:
    """A step of a history: when and what, then the text and the fields before and after."""
    start = Text(f"{change.changed_at:%Y-%m-%d %H:%M}  ")
    start.append(f"{change.change:<10}  ", "cyan")
    body = Text(visible(change.content))
    for step in _steps(change.before, change.after):
        body.append(f"  {step}", "dim")
    if change.changed_by:
        body.append(f"  by {visible(change.changed_by)}", "dim")
    return start, body


def setting_line(setting: AgentSetting, *, with_built_in: bool = False) -> Text:
    """A setting: its name, its value, where that is from, and if asked what else would hold."""
    line = Text(f"{setting.name:<24}  ").append(_short(setting.value), "bold")
    line.append(f"  ({setting.source}", "dim")
    return line.append(f", built in {_short(setting.built_in)})" if with_built_in else ")", "dim")


def config_change_lines(change: ConfigChange) -> tuple[Text, Text]:
    """A change of settings: when and whose, then the settings before and after."""
    start = Text(f"{change.changed_at:%Y-%m-%d %H:%M}  ")
    whose = "all agents" if change.agent_id is None else f"agent {visible(change.agent_id)}"
    start.append(f"{whose}  ", "cyan")
    body = Text("  ".join(_steps(change.before, change.after)))
    return start, body.append(f"  by {visible(change.changed_by)}", "dim")


def _steps(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    return [
        f"{name}: {_short(before.get(name))} → {_short(value)}" for name, value in after.items()
    ]


def _short(value: object) -> str:
    if value is None:
        return "nothing"
    return visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[:60]


def memories(count: int) -> str:
    """How many, in words: `1 memory`, `1,200 memories`."""
    return "1 memory" if count == 1 else f"{count:,} memories"
