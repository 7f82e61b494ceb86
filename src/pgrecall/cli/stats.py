"""pgrecall stats: what agents did."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, TypeAlias

import typer
from rich.table import Table

from pgrecall import AgentStats, Settings, Statistics
from pgrecall.cli.database import open_memory, resolve_database
from pgrecall.cli.live import show
from pgrecall.cli.options import AsJson, Dsn, Organization
from pgrecall.cli.output import print_json, print_table, say
from pgrecall.ops.monitoring.scrape import scrape
from pgrecall.sql.address import described

_COUNTS = {
    "added": "added",
    "duplicates": "duplicate",
    "superseded": "superseded",
    "updated": "updated",
    "forgotten": "forgotten",
    "erased": "erased",
    "recalls": "recalls",
    "empty_recalls": "empty",
}

By: TypeAlias = Annotated[str, typer.Option(help="hour, day or total.", metavar="PERIOD")]
Since: TypeAlias = Annotated[
    str | None, typer.Option(help="Hours that began then or later, ISO 8601.", metavar="TIME")
]
Until: TypeAlias = Annotated[
    str | None, typer.Option(help="Hours that began earlier.", metavar="TIME")
]
LiveView: TypeAlias = Annotated[
    bool, typer.Option("--live", help="A view of the whole database that refreshes.")
]
Interval: TypeAlias = Annotated[
    float, typer.Option(help="Seconds between refreshes.", metavar="SECONDS", min=0.2)
]
OneAgent: TypeAlias = Annotated[
    str | None, typer.Option("--agent", help="One agent alone.", metavar="NAME")
]


def stats(
    *,
    by: By = "day",
    since: Since = None,
    until: Until = None,
    agent: OneAgent = None,
    live: LiveView = False,
    interval: Interval = 2.0,
    organization: Organization = "default",
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Show what the agents of an organization did, and how long recalls took.

    Periods are in UTC. Other processes bring their counts within PGRECALL_STATS_INTERVAL seconds.
    With --live, how the whole database does, of all organizations, as the login of its URL sees
    it; q or an interrupt ends it.
    """
    if live:
        with resolve_database(dsn) as found_dsn:
            if as_json:
                print_json(scrape(found_dsn, Settings(), by_organization=False))
            else:
                show(found_dsn, described(found_dsn), interval)
        return
    with open_memory(dsn, organization, agent or "default", None) as memory:
        found = memory.stats(agent_id=agent, since=since, until=until, by=by)
    if as_json:
        print_json({"rows": [asdict(row) for row in found], "total": asdict(found.total)})
    elif found:
        print_table(_table(found, by))
    else:
        say("nothing was counted")


def _table(found: Statistics, by: str) -> Table:
    """Without the counts that are nought throughout."""
    total = found.total
    names = [name for name in _COUNTS if getattr(total, name)]
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("since", "agent"):
        table.add_column(title, no_wrap=True)
    for title in (*(_COUNTS[name] for name in names), "p50 ms", "p95 ms", "tokens"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in found:
        table.add_row(_start(row, by), *_cells(row, names))
    if len(found) > 1:
        table.add_row("total", *_cells(total, names))
    return table


def _start(row: AgentStats, by: str) -> str:
    if row.start is None:
        return "ever"
    return f"{row.start:%Y-%m-%d %H:%M}" if by == "hour" else f"{row.start:%Y-%m-%d}"


def _cells(row: AgentStats, names: list[str]) -> list[str]:
    counts = [f"{getattr(row, name):,}" for name in names]
    latencies = ["" if each is None else f"{each:.1f}" for each in (row.p50, row.p95)]
    return [row.agent_id or "", *counts, *latencies, f"{row.embedding_tokens + row.query_tokens:,}"]
