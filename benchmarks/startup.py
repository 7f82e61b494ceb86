"""What a process pays before its first answer, and what memory it takes.

    python -m benchmarks.startup

Each step is taken by a new process, several times; medians of milliseconds since the step before,
and the resident memory after it. The embedded server runs already, or is started where it says so.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rich.console import Console
from rich.table import Table

from benchmarks.report import Setting
from benchmarks.startup_steps import STEPS
from pgrecall import embedded

Taken = Mapping[str, Mapping[str, float]]
"""By step: `milliseconds` it took, and resident `megabytes` after it."""


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    with TemporaryDirectory(prefix="pgrecall-startup-") as folder:
        home = Path(folder)
        cold = [_run(home / str(number)) for number in range(options.cold)]
        with embedded.join(home / "0") as lease:
            warm = [_run(lease.home) for _ in range(options.repeat)]
    figures = {"server started": medians(cold), "server running": medians(warm)}
    setting = Setting("one memory, one question", "the local embedder", "the embedded server")
    _print(setting, figures, Console(markup=False, highlight=False))
    if options.json:
        report = json.dumps({"setting": asdict(setting), "steps": figures}, indent=2)
        options.json.write_text(report + "\n", encoding="utf-8")
    return 0


def medians(runs: Sequence[Taken]) -> dict[str, dict[str, float]]:
    """The median over the runs of each figure of each step."""
    return {
        step: {name: median(run[step][name] for run in runs) for name in figures}
        for step, figures in runs[0].items()
    }


def _run(home: Path) -> Taken:
    command = [sys.executable, str(Path(__file__).with_name("startup_steps.py")), str(home)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    taken: Taken = json.loads(done.stdout)
    return taken


def _print(setting: Setting, figures: Mapping[str, Taken], console: Console) -> None:
    console.print(f"$ {setting.command}", soft_wrap=True)
    console.print(f"pgrecall {setting.pgrecall}, {setting.machine}\n")
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("step", no_wrap=True)
    for name in figures:
        table.add_column(f"{name}, ms", justify="right")
    table.add_column("resident after it, MB", justify="right")
    for step in STEPS:
        taken = [steps[step] for steps in figures.values()]
        milliseconds = (f"{each['milliseconds']:.0f}" for each in taken)
        table.add_row(step, *milliseconds, f"{taken[-1]['megabytes']:.0f}")
    console.print(table)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--repeat", type=int, default=9, metavar="N", help="processes that find a running server"
    )
    parser.add_argument(
        "--cold", type=int, default=3, metavar="N", help="that make a data directory and start one"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
