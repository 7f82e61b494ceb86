"""What a histogram of latencies says."""

from __future__ import annotations

import math
import random

import pytest

from pgrecall.domain.statistics import (
    BOUNDS,
    BUCKETS,
    COUNTS,
    Statistics,
    agent_stats,
    bucket_of,
    period,
    quantile,
)
from pgrecall.errors import InvalidInputError


def histogram(values: list[float]) -> list[int]:
    latencies = [0] * BUCKETS
    for value in values:
        latencies[bucket_of(value)] += 1
    return latencies


@pytest.mark.parametrize(
    ("milliseconds", "place"),
    [(0, 0), (0.5, 0), (0.51, 1), (1, 2), (2.9, 6), (16384, 30), (16385, 31), (1e9, 31)],
)
def test_each_latency_has_its_bucket(milliseconds: float, place: int) -> None:
    assert bucket_of(milliseconds) == place


def test_nothing_has_no_quantile() -> None:
    assert quantile([0] * BUCKETS, 0.5) is None


@pytest.mark.parametrize("share", [0.01, 0.5, 0.95, 1.0])
@pytest.mark.parametrize("spread", [0.1, 0.5, 1.2])
def test_quantiles_are_near(share: float, spread: float) -> None:
    rng = random.Random(7)
    values = sorted(rng.lognormvariate(math.log(12), spread) for _ in range(5000))
    exact = values[max(0, math.ceil(share * len(values)) - 1)]
    estimate = quantile(histogram(values), share)
    assert estimate is not None
    assert 1 / math.sqrt(2) <= estimate / exact <= math.sqrt(2)
    if 0.01 < share < 1 and spread > 0.1:
        assert estimate == pytest.approx(exact, rel=0.1)


def test_a_single_recall_is_its_buckets_upper_bound() -> None:
    assert quantile(histogram([3.5]), 1.0) == pytest.approx(4.0)
    assert quantile(histogram([3.5]), 0.5) == pytest.approx(4.0 / 2**0.25)


def test_above_the_last_bound_nothing_is_known() -> None:
    assert quantile(histogram([60_000.0]), 0.5) == BOUNDS[-1]


def test_the_total_is_the_sum() -> None:
    def row(agent: str, number: int, latency: float) -> dict[str, object]:
        counts = dict.fromkeys(COUNTS, number)
        latencies = histogram([latency] * number)
        return {**counts, "start": None, "agent_id": agent, "latencies": latencies}

    found = Statistics((agent_stats(row("a", 1, 3)), agent_stats(row("b", 2, 300))))
    assert {getattr(found.total, name) for name in COUNTS} == {3}
    assert found.total.agent_id is None
    assert sum(found.total.latencies) == 3
    assert found.total.p95 == pytest.approx(300, rel=0.42)
    assert Statistics(()).total.p50 is None


def test_a_period_is_one_of_three() -> None:
    with pytest.raises(InvalidInputError, match="by must be one of hour, day, total"):
        period("week")
