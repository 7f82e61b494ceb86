"""How a database does, as a view that refreshes."""

from __future__ import annotations

import sys
import termios
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pgrecall.cli.output import console
from pgrecall.domain.statistics import BUCKETS, quantile
from pgrecall.ops.monitoring.scrape import Scrape, scrape
from pgrecall.settings import Settings

_RATES = ("recalls", "empty_recalls", "added", "duplicates", "superseded", "forgotten")
_MOST = 8


@dataclass(frozen=True, slots=True)
class Moment:
    """What was seen, and when, in seconds."""

    at: float
    scrape: Scrape


def show(dsn: str, name: str, interval: float) -> None:
    """Refresh the view every `interval` seconds until q or an interrupt; into a pipe, show once."""
    settings, out = Settings(), console()
    first = _moment(dsn, settings)
    if not out.is_terminal:
        out.width = 120
        out.print(view(name, first, first))
        return
    with _quit() as is_over, Live(view(name, first, first), console=out, screen=True) as live:
        before = first
        while not is_over.wait(interval):
            now = _moment(dsn, settings)
            live.update(view(name, before, now), refresh=True)
            before = now


def view(name: str, before: Moment, now: Moment) -> Group:
    """What was seen now; rates since before, or, if that is the same, sums."""
    head = Text(f"{name}   {time.strftime('%H:%M:%S')}   q ends", style="bold")
    if not now.scrape.is_up:
        return Group(head, Text("the database can't be reached", style="red"))
    lines = [_work(before, now), _server(now.scrape)]
    lines += [f"not seen: {scrape}: {why}" for scrape, why in now.scrape.failures.items()]
    tables = Text(), _tables(now.scrape), Text(), _statements(before, now)
    return Group(head, *map(Text, lines), *tables)


def _moment(dsn: str, settings: Settings) -> Moment:
    return Moment(time.monotonic(), scrape(dsn, settings, by_organization=False))


def _work(before: Moment, now: Moment) -> str:
    [then], [later] = (each.scrape.rows.get("counts") or [{}] for each in (before, now))
    is_rate = before is not now
    seconds = max(now.at - before.at, 0.001) if is_rate else 1
    begun = then if is_rate else {}
    rates = [
        f"{name.replace('_', ' ')} {(later.get(name, 0) - begun.get(name, 0)) / seconds:,.1f}"
        for name in _RATES
    ]
    found = _latencies(now.scrape)
    if is_rate and sum(found) > sum(_latencies(before.scrape)):
        found = [b - a for a, b in zip(_latencies(before.scrape), found, strict=True)]
    p50, p95 = quantile(found, 0.5), quantile(found, 0.95)
    latency = "" if p50 is None or p95 is None else f"   p50 {p50:.1f} ms, p95 {p95:.1f} ms"
    return ("a second: " if is_rate else "in all: ") + ", ".join(rates) + latency


def _latencies(scraped: Scrape) -> list[int]:
    found = [0] * BUCKETS
    for row in scraped.rows.get("latencies", []):
        found[row["place"] - 1] = row["count"]
    return found


def _server(scraped: Scrape) -> str:
    parts = [f"{row['connections']} {row['state']}" for row in scraped.rows.get("connections", [])]
    for row in scraped.rows.get("activity", []):
        parts.append(f"oldest transaction {row['oldest_transaction_seconds']:.0f} s")
        parts.append(f"waiting for locks {row['waiting_for_locks']}")
    for row in scraped.rows.get("database", []):
        blocks = row["blks_hit"] + row["blks_read"]
        parts.append(f"cache {row['blks_hit'] / max(blocks, 1):.1%}")
        parts.append(f"size {_size(row['size_bytes'])}")
    return "connections: " + ", ".join(parts)


def _tables(scraped: Scrape) -> Table:
    table = _table("table", "rows", "dead", "size", "indexes")
    largest = sorted(scraped.rows.get("tables", []), key=lambda row: -row["total_bytes"])
    for row in largest[:_MOST]:
        sizes = _size(row["size_bytes"]), _size(row["indexes_bytes"])
        table.add_row(row["table"], f"{row['rows']:,}", f"{row['dead_rows']:,}", *sizes)
    return table


def _statements(before: Moment, now: Moment) -> Table:
    table = _table("statement", "calls", "mean ms", "rows")
    then = {row["statement"]: row for row in before.scrape.rows.get("statements", [])}
    nothing = {"calls": 0, "seconds": 0.0, "rows": 0}
    rows = []
    for row in now.scrape.rows.get("statements", []):
        old = then.get(row["statement"], nothing) if before is not now else nothing
        seconds, calls, answered = (row[name] - old[name] for name in ("seconds", "calls", "rows"))
        if calls > 0:
            rows.append((seconds, row["statement"], calls, answered))
    for seconds, name, calls, answered in sorted(rows, reverse=True)[:_MOST]:
        table.add_row(name, f"{calls:,}", f"{1000 * seconds / calls:.2f}", f"{answered:,}")
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} TB"


@contextmanager
def _quit() -> Iterator[threading.Event]:
    """An event that comes with the key q; the terminal is as before afterwards."""
    is_over = threading.Event()
    if not sys.stdin.isatty():
        yield is_over
        return
    former = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        threading.Thread(target=_wait_for_q, args=(is_over,), daemon=True).start()
        yield is_over
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, former)


def _wait_for_q(is_over: threading.Event) -> None:
    while sys.stdin.read(1) not in ("q", "Q", ""):
        pass
    is_over.set()
