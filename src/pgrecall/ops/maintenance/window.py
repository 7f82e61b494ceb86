"""The hours of a day in which work may be begun. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time

from pgrecall.errors import InvalidInputError

_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Window:
    """From `begin` to before `end`, over midnight if the end is the earlier of the two.

    In the local time of who runs pgrecall, and where pg_cron does it, in the time of that.
    """

    begin: time
    end: time

    def holds(self, at: datetime) -> bool:
        """Whether a time lies in it."""
        now = at.time()
        if self.begin < self.end:
            return self.begin <= now < self.end
        return now >= self.begin or now < self.end

    def __str__(self) -> str:
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"


def window(text: str) -> Window:
    """A window such as 02:00-04:00. Raises InvalidInputError."""
    found = _WINDOW.fullmatch(text.strip())
    if found is None:
        raise InvalidInputError(f"{text[:40]!r} is no window", hint="Such as 02:00-04:00.")
    begin_hour, begin_minute, end_hour, end_minute = map(int, found.groups())
    read = Window(time(begin_hour, begin_minute), time(end_hour, end_minute))
    if read.begin == read.end:
        raise InvalidInputError("a window ends at another time than it begins")
    return read
