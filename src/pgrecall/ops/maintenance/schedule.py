"""Files and statements that run the maintenance by themselves. Pure."""

from __future__ import annotations

from importlib import resources
from typing import Literal

from pgrecall.ops.maintenance.window import Window

Scheduler = Literal["cron", "systemd", "pg_cron"]

_FILES = {"cron": "cron.txt", "systemd": "systemd.txt", "pg_cron": "pg_cron.sql"}


def render_schedule(scheduler: Scheduler, window: Window, days: int) -> str:
    """The file or the statements that run the maintenance every day in a window.

    pg_cron runs SQL alone, so that its statements leave indexes out.
    """
    first, last = window.begin.hour, (window.end.hour - 1) % 24
    hours = f"{first}-{last}" if first <= last else f"{first}-23,0-{last}"
    template = (resources.files(__package__) / _FILES[scheduler]).read_text("utf-8")
    return template.format(
        window=window,
        minute=window.begin.minute,
        hour=first,
        last=last,
        hours=hours,
        begin=f"{window.begin:%H:%M:%S}",
        days=days,
    )
