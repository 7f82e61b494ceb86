"""What was measured, as tables of plain text and as JSON."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.scoring import CUTOFFS, Score
from benchmarks.timing import Rate, Times

ALL = "all"
VECTOR_ONLY = "vector only, one SQL query"

_SESSION_CUTOFFS = CUTOFFS[:3]
_MEASURES = [*(f"R@{k}" for k in CUTOFFS), *(f"S@{k}" for k in _SESSION_CUTOFFS), "MRR"]


def _machine() -> str:
    """With the load of the last minutes: what else ran makes times longer."""
    load = f", load {os.getloadavg()[1]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{platform.machine()}, {os.cpu_count()} processors{load}"


@dataclass(frozen=True)
class Setting:
    """What the figures depend on, so that they can be had again."""

    data: str
    model: str
    server: str
    pgrecall: str = field(default_factory=lambda: version("pgrecall"))
    machine: str = field(default_factory=_machine)
    command: str = field(default_factory=lambda: shlex.join(["python", *sys.orig_argv[1:]]))


@dataclass(frozen=True)
class Report:
    """Scores by method and category (`ALL` is one), times and rates by what was done."""

    setting: Setting
    scores: Mapping[str, Mapping[str, Score]]
    times: Mapping[str, Times]
    rates: Mapping[str, Rate]

    def as_json(self) -> dict[str, Any]:
        rates = {
            name: asdict(rate) | {"per_second": rate.per_second}
            for name, rate in self.rates.items()
        }
        return asdict(self) | {"rates": rates}


def print_report(report: Report, console: Console) -> None:
    setting = report.setting
    console.print(f"$ {setting.command}", soft_wrap=True)
    console.print(f"{setting.data}; vectors by {setting.model}", soft_wrap=True)
    console.print(f"pgrecall {setting.pgrecall}, {setting.server}, {setting.machine}\n")
    tables = [_scores(report), _times(report), _rates(report)]
    for table in tables:
        if table.row_count:
            console.print(table, "")


def _scores(report: Report) -> Table:
    """A block for all questions, and one per category."""
    table = _table(
        "Recall@k by turn and by session (S@k), and mean reciprocal rank", "questions", *_MEASURES
    )
    categories = next(iter(report.scores.values()))
    for category, score in categories.items():
        table.add_row(f"{category} ({score.questions})")
        for method, scores in report.scores.items():
            table.add_row(f"  {method}", *_score_cells(scores[category]))
    return table


def _times(report: Report) -> Table:
    table = _table("Milliseconds a question", "what", "p50", "p95", "ratio of p50", "calls")
    beside = report.times.get(VECTOR_ONLY)
    for name, times in report.times.items():
        ratio = f"{times.p50 / beside.p50:.2f}" if beside else "-"
        table.add_row(name, f"{times.p50:.2f}", f"{times.p95:.2f}", ratio, str(times.calls))
    return table


def _rates(report: Report) -> Table:
    table = _table(
        "Writes, vectors precomputed", "what", "memories", "seconds", "memories / second"
    )
    for name, rate in report.rates.items():
        table.add_row(name, str(rate.memories), f"{rate.seconds:.2f}", f"{rate.per_second:,.0f}")
    return table


def _score_cells(score: Score) -> list[str]:
    turns = [score.turn_recall[k] for k in CUTOFFS]
    sessions = [score.session_recall[k] for k in _SESSION_CUTOFFS]
    return [f"{value:.3f}" for value in [*turns, *sessions, score.reciprocal_rank]]


def _table(title: str, name: str, *figures: str) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0)
    )
    table.add_column(name, no_wrap=True)
    for figure in figures:
        table.add_column(figure, justify="right", no_wrap=True)
    return table
