"""The comparison as tables of plain text, with the bars that pgrecall has set itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.peers.comparison import SEARCH, SESSION, SINGLE, WHOLE, Tally
from benchmarks.peers.side import LEAST, OURS
from benchmarks.report import Setting

FOUND = "recall@10 by turn"
BARS: Mapping[str, Mapping[str, float]] = {
    "mem0": {SINGLE: 10, WHOLE: 60, SEARCH: 1, FOUND: 1.5},
    "langgraph": {SINGLE: 3, WHOLE: 10, SEARCH: 1, FOUND: 1.5},
}
"""At least so many times as fast, or so much found."""


def print_comparison(
    setting: Setting, tally: Tally, peers: Sequence[str], console: Console
) -> None:
    console.print(f"$ {setting.command}", soft_wrap=True)
    console.print(f"{setting.data}; vectors by {setting.model}", soft_wrap=True)
    console.print(f"pgrecall {setting.pgrecall}, {setting.server}, {setting.machine}\n")
    console.print(_figures(tally, [OURS, *peers, LEAST]), "")
    console.print(_ratios(tally, [*peers, LEAST]))


def ratios(tally: Tally, peer: str) -> dict[str, float]:
    """How many times as fast as the peer pgrecall is, and how much more it finds."""
    fast = {work: tally.ratio(work, OURS, peer) for work in (SINGLE, SESSION, WHOLE, SEARCH)}
    return {**fast, FOUND: tally.recall(OURS) / tally.recall(peer)}


def _figures(tally: Tally, names: Sequence[str]) -> Table:
    table = _table("what", *names)
    for work in (SINGLE, SESSION, WHOLE):
        table.add_row(f"{work}, per second", *(f"{tally.rate(work, n):,.0f}" for n in names))
    times = [tally.times(name) for name in names]
    table.add_row("search p50, ms", *(f"{each.p50:.2f}" for each in times))
    table.add_row("search p95, ms", *(f"{each.p95:.2f}" for each in times))
    table.add_row(FOUND, *(f"{tally.recall(name):.3f}" for name in names))
    return table


def _ratios(tally: Tally, peers: Sequence[str]) -> Table:
    columns = [column for peer in peers for column in (peer, "bar")]
    table = _table("times as fast, median of pairs", *columns)
    by_peer = {peer: ratios(tally, peer) for peer in peers}
    for work in by_peer[peers[0]]:
        cells = []
        for peer in peers:
            bar = BARS.get(peer, {}).get(work)
            cells += [f"{by_peer[peer][work]:.2f}", "-" if bar is None else f"{bar:g}"]
        table.add_row(work, *cells)
    return table


def _table(name: str, *figures: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column(name, no_wrap=True)
    for figure in figures:
        table.add_column(figure, justify="right", no_wrap=True)
    return table
