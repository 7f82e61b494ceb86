"""The figures of each size, as a table, with the bars."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.report import Setting

GROWTH = 4.0
"""How many times as long recall's p95 may take in the largest organization as in the smallest."""
SHARED = 0.95
"""At least so much of the ten best by comparing all must be found."""


@dataclass(frozen=True)
class Stage:
    """How many organizations, memories in the first of them, and in all."""

    organizations: int
    large: int
    memories: int
    dimension: int


@dataclass(frozen=True)
class Figures:
    """What was measured at one size.

    `recall`: milliseconds by percentile. `shared`: of the ten best by comparing all, the share that
    recall found, mean over `compared` questions. `filled_per_second`: by COPY, indexes built after.
    """

    stage: Stage
    recall: Mapping[int, float]
    is_exact: bool
    shared: float
    compared: int
    filled_per_second: float
    singles_per_second: float
    batches_per_second: float
    megabytes: Mapping[str, float]


def growth(figures: Sequence[Figures], percentile: int = 95) -> float:
    """The largest organization's time by the smallest's; 1 for a single size."""
    by_size = sorted(figures, key=lambda each: each.stage.large)
    return by_size[-1].recall[percentile] / by_size[0].recall[percentile]


def print_growth(setting: Setting, figures: Sequence[Figures], console: Console) -> None:
    console.print(f"$ {setting.command}", soft_wrap=True)
    console.print(f"{setting.data}; vectors by {setting.model}", soft_wrap=True)
    console.print(f"pgrecall {setting.pgrecall}, {setting.server}, {setting.machine}\n")
    console.print(_table(figures), "")
    one = [each for each in figures if each.stage.large > each.stage.memories / 3]
    if len(one) > 1:
        console.print(f"p95 grows {growth(one):.2f} times; at most {GROWTH:g}")
    worst = min(each.shared for each in figures)
    console.print(f"recall@{10} against comparing all: {worst:.3f} at least; bar {SHARED}")


def _table(figures: Sequence[Figures]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("", no_wrap=True)
    for each in figures:
        table.add_column(_headline(each.stage), justify="right")
    for name, cell in _ROWS.items():
        table.add_row(name, *map(cell, figures))
    for name in sorted({name for each in figures for name in each.megabytes}):
        table.add_row(f"{name}, MB", *(f"{each.megabytes.get(name, 0):,.1f}" for each in figures))
    return table


def _headline(stage: Stage) -> str:
    if stage.large <= 100:
        return f"{stage.organizations:,} of {stage.large}"
    return f"{stage.large:,}"


_ROWS: Mapping[str, Callable[[Figures], str]] = {
    "recall p50, ms": lambda each: f"{each.recall[50]:.1f}",
    "recall p95, ms": lambda each: f"{each.recall[95]:.1f}",
    "recall p99, ms": lambda each: f"{each.recall[99]:.1f}",
    "compared": lambda each: "all" if each.is_exact else "candidates",
    "recall@10 against all": lambda each: f"{each.shared:.3f}",
    "filled at once, per second": lambda each: f"{each.filled_per_second:,.0f}",
    "then written singly": lambda each: f"{each.singles_per_second:,.0f}",
    f"then written {128} a call": lambda each: f"{each.batches_per_second:,.0f}",
}
