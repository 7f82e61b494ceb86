"""Files and statements that run the maintenance by themselves. Pure."""

from __future__ import annotations

from datetime import time
from importlib import resources
from itertools import groupby
from typing import Literal

from pgrecall.ops.maintenance.window import Window

Scheduler = Literal["cron", "systemd", "pg_cron"]

_FILES = {"cron": "cron.txt", "systemd": "systemd.txt", "pg_cron": "pg_cron.sql"}
_RETAIN = (
    "select cron.schedule('pgrecall-retain{number}', '{times}', "
    "$$select agent_memory.retain_all(5000)$$);"
)
_HOUR, _DAY = 60, 24 * 60


def render_schedule(scheduler: Scheduler, window: Window, days: int) -> str:
    """The file or the statements that run the maintenance every day in a window.

    pg_cron runs SQL alone, so that its statements leave indexes out.
    """
    template = (resources.files(__package__) / _FILES[scheduler]).read_text("utf-8")
    return template.format(
        window=window,
        begin=window.begin,
        last=_an_hour_before_the_end(window),
        retain="\n".join(
            _RETAIN.format(number=f"-{number}" if number > 1 else "", times=times)
            for number, times in enumerate(_every_five_minutes(window), 1)
        ),
        days=days,
    )


def _every_five_minutes(window: Window) -> list[str]:
    """As cron has them: a line holds hours of the same minutes, and the first and the last hour
    of a window may have others."""
    hours: dict[tuple[int, int], list[str]] = {}
    starts = (_of_the_day(window.begin) + minutes for minutes in range(0, _length(window), 5))
    for hour, of_hour in groupby(starts, lambda start: start // _HOUR):
        minutes = [start % _HOUR for start in of_hour]
        hours.setdefault((minutes[0], minutes[-1]), []).append(str(hour % 24))
    return [f"{first}-{last}/5 {','.join(each)} * * *" for (first, last), each in hours.items()]


def _an_hour_before_the_end(window: Window) -> time:
    start = _of_the_day(window.begin) + max(0, _length(window) - _HOUR)
    return time(start % _DAY // _HOUR, start % _HOUR)


def _length(window: Window) -> int:
    return (_of_the_day(window.end) - _of_the_day(window.begin)) % _DAY


def _of_the_day(at: time) -> int:
    """In minutes."""
    return at.hour * _HOUR + at.minute
