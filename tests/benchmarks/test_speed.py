"""The pure parts of growth, concurrency, start-up and the floor."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import startup_steps
from benchmarks.concurrency import RECALL, WRITE, WRITES, Load, Work, summary
from benchmarks.floor import FLOOR, Figures
from benchmarks.floor import RECALL as OURS
from benchmarks.growth_report import Figures as Size
from benchmarks.growth_report import Stage, growth
from benchmarks.population import Population, Sizes
from benchmarks.startup import medians
from benchmarks.timing import Times, percentiles


def size(large: int, p95: float) -> Size:
    stage = Stage(11, large, large, 256)
    return Size(stage, {50: 1, 95: p95, 99: 9}, True, 1.0, 5, 1, 1, 1, {})


def test_growth_is_the_largest_by_the_smallest() -> None:
    assert growth([size(10_000, 20), size(1_000, 10), size(100_000, 35)]) == 3.5


def test_percentiles_by_name() -> None:
    assert percentiles([float(number) for number in range(101)]) == {50: 50, 95: 95, 99: 99}


def test_every_fifth_call_of_a_client_is_a_write_of_a_new_text() -> None:
    work = Work(Population(Sizes(40, 20, organizations=2)).questions(3), seconds=1)
    calls = [work.plan(0)(number) for number in range(2 * WRITES)]
    assert [kind for kind, _ in calls] == ([RECALL] * (WRITES - 1) + [WRITE]) * 2
    written = [text for kind, text in calls if kind == WRITE]
    assert len(set(written)) == 2


def test_a_load_is_summed_over_its_clients() -> None:
    loads = [Load({RECALL: [10.0, 20.0], WRITE: [5.0]}), Load({RECALL: [30.0], WRITE: []}, [200.0])]
    figures = summary(loads, seconds=2, pool=2, stuck=0)
    assert figures.calls_per_second == 2
    assert figures.recall is not None
    assert figures.recall.p50 == 20
    assert (figures.refused, figures.longest_refused) == (1, 200)


def test_medians_over_processes() -> None:
    runs = [{"import": {"milliseconds": ms, "megabytes": 10.0}} for ms in (1.0, 9.0, 2.0)]
    assert medians(runs) == {"import": {"milliseconds": 2.0, "megabytes": 10.0}}


def test_the_floor_is_compared_by_medians() -> None:
    recall = {OURS: Times(12, 20, 5), FLOOR: Times(10, 15, 5)}
    figures = Figures(recall, [(2.0, 1.0), (4.0, 1.0), (4.0, 3.0)], 100)
    assert figures.times_the_floor == pytest.approx(1.2)
    assert figures.of_copy == pytest.approx(0.5)


def test_start_up_takes_every_step(tmp_path: Path) -> None:
    command = [sys.executable, startup_steps.__file__, str(tmp_path / "home")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert list(json.loads(done.stdout)) == list(startup_steps.STEPS)
