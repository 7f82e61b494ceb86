"""One line of a chat log: when it was said, by whom, and what.

A date such as 03/04/24 is read by an order that the whole log agrees on. Nothing is guessed: where
no line decides between day and month, `date_order` says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal, TypeAlias

from pgrecall.domain.text import clean_text
from pgrecall.errors import InvalidInputError

DateOrder: TypeAlias = Literal["dmy", "mdy", "ymd"]
DATE_ORDERS = ("dmy", "mdy", "ymd")

_DATE = r"(?P<a>\d{1,4})(?P<mark>[./-])(?P<b>\d{1,2})(?P=mark)(?P<c>\d{2,4})"
_CLOCK = r"(?P<hour>\d{1,2})[:.](?P<minute>\d\d)(?:[:.](?P<second>\d\d)(?:[.,]\d+)?)?"
_HALF = r"(?:\s?(?P<half>[AaPp])\.?\s?[Mm]\.?)?"
_ZONE = r"(?P<zone>\s?(?:Z|UTC|[+-]\d\d:?\d\d))?"
_TIME = rf"{_DATE}(?:,?\s+|T){_CLOCK}{_HALF}{_ZONE}"
_NAME = r"(?P<name>[^:<>]{1,60}?)"
# "[time] name: text", "time - name: text", "time <name> text", "time name: text".
_DATED = re.compile(
    rf"(?:\[{_TIME}\]|{_TIME.replace('?P<', '?P<x_').replace('?P=', '?P=x_')}(?=\s))"
    rf"(?:\s*[-–]\s+|\s+)(?:<(?P<nick>[^<>]{{1,60}})>\s|{_NAME}:(?:\s|$))?(?P<text>.*)",
    re.DOTALL,
)
# "[21:45] name: text" and "name: text". A clock alone says nothing of the day.
_PLAIN = re.compile(
    rf"(?:\[?{_CLOCK}{_HALF}\]?\s+)?(?:<(?P<nick>[^<>]{{1,60}})>\s|(?P<name>[^\s:<>\[\]][^:<>]{{0,39}}):\s)(?P<text>.*)",
    re.DOTALL,
)
# Marks of direction that phones put before names and times.
_INVISIBLE = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_SPACES = re.compile("[\u00a0\u202f\u2007]")


@dataclass(frozen=True, slots=True)
class Line:
    """The first line of a message; `name` is None for a log's own remarks."""

    name: str | None
    text: str
    date: Date | None


@dataclass(frozen=True, slots=True)
class Date:
    """A time as it was written: three numbers in an order of their own, and the clock."""

    numbers: tuple[str, str, str]
    mark: str
    clock: tuple[int, int, int]
    zone: str | None

    def order(self) -> DateOrder | None:
        """The order that this date alone decides."""
        first, second, _ = self.numbers
        if len(first) > 2:
            return "ymd"
        if self.mark == "." or int(first) > 12:
            return "dmy"
        return "mdy" if int(second) > 12 else None

    def at(self, order: DateOrder, zone: tzinfo) -> datetime:
        """The time; ValueError if there is none such."""
        a, b, c = map(int, self.numbers)
        year, month, day = {"dmy": (c, b, a), "mdy": (c, a, b), "ymd": (a, b, c)}[order]
        written = datetime(year + 2000 if year < 100 else year, month, day, *self.clock)
        if self.zone is None:
            return written.replace(tzinfo=zone)
        offset = {"Z": "+00:00", "UTC": "+00:00"}.get(self.zone.strip(), self.zone.strip())
        offset = offset if ":" in offset else f"{offset[:3]}:{offset[3:]}"
        return datetime.fromisoformat(f"{written.isoformat()}{offset}")


def cleaned(line: str) -> str:
    """A line without its end, NULs, marks of direction, and unusual spaces before the name."""
    line = _INVISIBLE.sub("", clean_text(line.rstrip("\r\n")))
    return _SPACES.sub(" ", line[:60]) + line[60:]


def dated_line(line: str) -> Line | None:
    """A line that begins with a date and a time, or None."""
    found = _DATED.match(line)
    if found is None:
        return None
    part = {name.removeprefix("x_"): value for name, value in found.groupdict().items() if value}
    hour, half = int(part["hour"]), part.get("half", "").lower()
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    clock = (hour, int(part["minute"]), int(part.get("second", 0)))
    date = Date((part["a"], part["b"], part["c"]), part["mark"], clock, part.get("zone"))
    return Line(_name(part), part.get("text", ""), date)


def plain_line(line: str) -> Line | None:
    """A line `name: text`, with a clock before it or none, or None."""
    found = _PLAIN.match(line)
    return found and Line(_name(found.groupdict()), found["text"], None)


def date_order(dates: Iterable[Date]) -> DateOrder | None:
    """The order that the dates agree on; None if there are none.

    Raises InvalidInputError if none decides, or two decide differently.
    """
    found: set[DateOrder] = set()
    undecided = False
    for date in dates:
        order = date.order()
        undecided = undecided or order is None
        if order is not None:
            found.add(order)
            if order == "ymd" or len(found) > 1:
                break
    if len(found) > 1 or (undecided and not found):
        why = "contradict each other" if found else "can be read both ways"
        raise InvalidInputError(
            f"the dates of the chat log {why}",
            hint="--date-order dmy (31/12) or mdy (12/31) says how they are meant.",
        )
    return found.pop() if found else None


def _name(part: dict[str, str]) -> str | None:
    name = part.get("nick") or part.get("name")
    return name.strip(" @+~*") or None if name else None
