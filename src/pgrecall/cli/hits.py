"""Printing what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from rich.console import Console
from rich.text import Text

from pgrecall.cli.rendering import hit_text, lead
from pgrecall.domain.hit import Hit
from pgrecall.recall.result import Recall


def print_hanging(out: Console, lead: Text, body: Text) -> None:
    """The body after the lead; on a terminal it is wrapped beside it, or below a long one."""
    if not out.is_terminal:
        out.print(Text.assemble(lead, body))
        return
    if lead.cell_len > out.width // 2:
        out.print(lead)
        lead = Text("    ")
    for number, line in enumerate(body.wrap(out, max(20, out.width - lead.cell_len))):
        out.print(Text.assemble(lead if number == 0 else Text(" " * lead.cell_len), line))


def print_hits(out: Console, found: Recall, below: Callable[[Hit], Iterable[Text]]) -> None:
    """The hits, best first, and below each what `below` says of it."""
    now = datetime.now(UTC)
    for place, hit in enumerate(found, 1):
        start = lead(place, hit.score)
        print_hanging(out, start, hit_text(hit, now))
        for line in below(hit):
            print_hanging(out, Text(" " * start.cell_len), line)
