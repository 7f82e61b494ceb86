"""Put another data directory in the place of the one that is there, which stays aside.

Two renames can't be one, so what is meant is written down first, in the home's `swap`; whoever
starts the server next finishes what was begun. The caller holds the home's start.lock, and no
server runs.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from pgrecall.embedded.account import Account
from pgrecall.embedded.folders import opened, read_text, write_text
from pgrecall.embedded.layout import Layout

_FILE = "swap"


@dataclass(frozen=True)
class Swap:
    """`new` takes the place of the data directory; `aside` is where that goes. Within the home."""

    new: str
    aside: str


def put_in_place(layout: Layout, swap: Swap) -> None:
    """Do it, so that it is finished even if this process is killed in between."""
    owner = layout.home.stat()
    account = Account("the owner", owner.st_uid, owner.st_gid)
    with opened(layout.home) as home:
        write_text(home, _FILE, json.dumps(swap.__dict__), account)
        os.fsync(home)
    finish(layout)


def finish(layout: Layout) -> None:
    """Finish a swap that was begun, if one was. Safe to repeat."""
    try:
        with opened(layout.home) as home:
            text = read_text(home, _FILE)
    except FileNotFoundError:
        return
    if text is None:
        return
    swap = Swap(**json.loads(text))
    _move(layout, layout.home / swap.new, layout.home / swap.aside)
    (layout.home / _FILE).unlink()


def _move(layout: Layout, new: Path, aside: Path) -> None:
    if new.exists():
        if layout.data.exists():
            layout.data.rename(aside)
        new.rename(layout.data)
    with opened(layout.home) as home:
        os.fsync(home)
