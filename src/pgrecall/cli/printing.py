"""Printing what was found."""

from __future__ import annotations

from datetime import datetime, timezone

from rich.console import Console
from rich.text import Text

from pgrecall.cli.output import blocks
from pgrecall.cli.rendering import bars, lead, origin, visible
from pgrecall.recall.result import Recall


def print_hanging(out: Console, lead: Text, body: Text) -> None:
    """The body after the lead; on a terminal it is wrapped beside it."""
    lines = body.wrap(out, max(20, out.width - lead.cell_len)) if out.is_terminal else [body]
    for number, line in enumerate(lines):
        start = lead if number == 0 else Text(" " * lead.cell_len)
        out.print(Text.assemble(start, line))


def print_hits(out: Console, found: Recall, *, with_bars: bool, with_numbers: bool = True) -> None:
    """The hits, best first, each with where it is from."""
    now = datetime.now(timezone.utc)
    for place, hit in enumerate(found, 1):
        start = lead(place, hit.score)
        below = Text(" " * start.cell_len)
        print_hanging(out, start, Text(visible(hit.content)))
        if with_bars:
            print_hanging(out, below, bars(hit.signals, blocks(out), with_numbers=with_numbers))
        print_hanging(out, below, origin(hit, now))
