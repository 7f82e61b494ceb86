"""Metrics as prometheus-client takes them: a registry of our own, nothing global."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.core import (
    Metric as Family,
)
from prometheus_client.registry import Collector

from pgrecall.domain.statistics import BOUNDS as LATENCY_BOUNDS
from pgrecall.domain.statistics import BUCKETS
from pgrecall.ops.monitoring.metrics import METRICS, Metric
from pgrecall.ops.monitoring.scrape import Rows, Scrape, scrape
from pgrecall.settings import Settings
from pgrecall.telemetry.process import BOUNDS, PROCESS, Process


def registry(
    dsn: str | None = None, *, by_organization: bool = False, settings: Settings | None = None
) -> CollectorRegistry:
    """What this process did, and with a connection string how that database does.

    Each collection connects anew, for as long as it takes. `by_organization` adds the label
    `organization` to what clients counted: as many series as there are organizations.
    """
    made = CollectorRegistry()
    made.register(_MetricsCollector(lambda: process_rows(PROCESS)))
    if dsn is not None:
        address, chosen = dsn, settings or Settings()

        def rows() -> dict[str, Rows]:
            return database_rows(scrape(address, chosen, by_organization=by_organization))

        made.register(_MetricsCollector(rows))
    return made


class _MetricsCollector(Collector):
    def __init__(self, rows: Callable[[], dict[str, Rows]]) -> None:
        self._rows = rows

    def describe(self) -> Iterable[Family]:
        """Nothing: names are unique by the table of metrics."""
        return []

    def collect(self) -> Iterator[Family]:
        """The families of all groups that there are rows of."""
        rows = self._rows()
        for metric in METRICS:
            if metric.group in rows:
                yield _family(metric, rows[metric.group])


def process_rows(process: Process) -> dict[str, Rows]:
    """What a process did, as rows by group."""
    return {
        "operations": [
            {"operation": operation, "outcome": outcome, "number": number}
            for (operation, outcome), number in process.outcomes().items()
        ],
        "durations": [
            {"operation": operation, "buckets": buckets, "bounds": BOUNDS, "sum": seconds}
            for operation, (buckets, seconds) in process.durations().items()
        ],
        "slow": [{"number": process.slow_recalls()}],
        "pool": [process.pools()],
    }


def database_rows(scraped: Scrape) -> dict[str, Rows]:
    """What was seen of a database, as rows by group."""
    latencies: dict[str, list[int]] = {}
    for row in scraped.rows.get("latencies", []):
        held = latencies.setdefault(row["organization"], [0] * BUCKETS)
        held[row["place"] - 1] = row["count"]
    bounds = [bound / 1000 for bound in LATENCY_BOUNDS]
    succeeded = dict.fromkeys(scraped.rows, 1) | dict.fromkeys(scraped.failures, 0)
    return {
        **scraped.rows,
        "latencies": [
            {"organization": organization, "buckets": buckets, "bounds": bounds, "sum": None}
            for organization, buckets in latencies.items()
        ],
        "up": [{"up": int(scraped.is_up)}],
        "scrape": [{"look": name, "success": success} for name, success in succeeded.items()],
    }


def _family(metric: Metric, rows: Rows) -> Family:
    # A label that is empty throughout says nothing.
    labels = [name for name in metric.labels if any(row[name] for row in rows)]
    if metric.kind == "histogram":
        return _histogram(metric, labels, rows)
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = kind(metric.name, metric.help, labels=labels)
    for row in rows:
        value = row[metric.column]
        if value is not None:
            family.add_metric([row[name] for name in labels], float(value) * metric.factor)
    return family


def _histogram(metric: Metric, labels: list[str], rows: Rows) -> Family:
    family = HistogramMetricFamily(metric.name, metric.help, labels=labels)
    for row in rows:
        family.add_metric([row[name] for name in labels], _buckets(row), row["sum"])
    return family


def _buckets(row: dict[str, Any]) -> list[tuple[str, float]]:
    """The sums up to each bound."""
    names = [*(f"{bound:.6g}" for bound in row["bounds"]), "+Inf"]
    return list(zip(names, map(float, accumulate(row["buckets"])), strict=True))
