"""A backup of one large organization while others write, and its restore elsewhere.

    python -m benchmarks.backup

The organization is backed up by the command, in a process of its own whose memory is measured,
while clients go on remembering in it. It is restored into another database of the same server, and
every table there is compared with the manifest.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rich.console import Console
from rich.table import Table

from benchmarks.databases import database
from benchmarks.filling import fill
from benchmarks.population import MODEL, Population, Sizes
from benchmarks.report import Setting
from pgrecall import Memory
from pgrecall.ops.backup.places import place
from pgrecall.ops.backup.reader import BackupReader
from pgrecall.ops.backup.rows import checksum
from pgrecall.ops.backup.tables import backup_session, find_tables
from pgrecall.testing.databases import template_database

# What the system counts as a child's begins with all that its parent had, so it tells itself.
COMMAND = (
    sys.executable,
    "-c",
    "import atexit, sys; from benchmarks.backup import tell_peak\n"
    "atexit.register(tell_peak, sys.argv.pop(1))\n"
    "from pgrecall.cli.main import main; main()",
)
ROOT = Path(__file__).resolve().parent.parent
WRITERS = 2


@dataclass(frozen=True)
class Step:
    """What one command did; `peak_mb` is the memory of its process, resident."""

    name: str
    rows: int
    seconds: float
    rows_per_second: float
    peak_mb: float
    file_mb: float
    written_meanwhile: int


@dataclass
class Writers:
    """Clients that remember until they are ended."""

    written: int = 0
    ended: bool = False


@contextmanager
def writing(dsn: str, organization: UUID) -> Iterator[Writers]:
    """Clients that remember, each as fast as it can, while the block runs."""
    writers = Writers()

    def write(number: int) -> None:
        with Memory(dsn, organization=organization, embedder=None) as memory:
            while not writers.ended:
                writers.written += 1
                memory.remember(f"Writer {number} noted {writers.written}.", user_id="meanwhile")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    try:
        yield writers
    finally:
        writers.ended = True
        for thread in threads:
            thread.join()


def run(*arguments: str) -> tuple[dict[str, Any], float, float]:
    """What a command printed, its seconds, and the megabytes that its process had at most."""
    with TemporaryDirectory() as folder:
        peak = Path(folder) / "peak"
        began = time.perf_counter()
        done = subprocess.run(
            [*COMMAND, str(peak), *arguments, "--json"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=True,
            stdout=subprocess.PIPE,
        )
        seconds = time.perf_counter() - began
        return json.loads(done.stdout), seconds, int(peak.read_text()) / 1e6


def tell_peak(file: str) -> None:
    """Write to a file how many bytes this process had at most, resident."""
    status = Path("/proc/self/status")
    if status.exists():
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        peak = int(line.split()[1]) * 1024
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    Path(file).write_text(str(peak))


def measure(server: str, sizes: Sizes, folder: Path) -> tuple[list[Step], list[str]]:
    """The steps, and the tables that differ from the manifest afterwards: none."""
    population = Population(sizes)
    organization = population.organization_id(0)
    file = folder / "large.tar"
    with template_database(server) as source, template_database(server) as target:
        fill(source, population)
        with writing(source, organization) as writers:
            named = ("--organization", str(organization), "--dsn", source)
            made, seconds, peak = run("backup", str(file), *named)
        size = made["bytes"] / 1e6
        steps = [_step("backup", made["rows"], seconds, peak, size, writers.written)]
        put, seconds, peak = run("restore", str(file), "--dsn", target)
        steps.append(_step("restore", put["added"], seconds, peak, size, 0))
        return steps, _different(target, file)


def _step(name: str, rows: int, seconds: float, peak: float, size: float, written: int) -> Step:
    return Step(name, rows, seconds, rows / seconds, peak, size, written)


def _different(dsn: str, file: Path) -> list[str]:
    manifest = BackupReader(place(str(file))).check()
    with backup_session(dsn, "benchmark") as connection:
        tables = find_tables(connection)
        found = {
            table.name: checksum(connection, table, manifest.organization_id) for table in tables
        }
    expected = {table.name: (table.rows, table.sha256) for table in manifest.tables}
    return sorted(name for name in expected if expected[name] != found.get(name))


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    sizes = Sizes(options.memories, 0, 1, options.dimension)
    with database(options.dsn) as found, TemporaryDirectory() as folder:
        steps, different = measure(found.dsn, sizes, Path(folder))
        data = f"{sizes.memories:,} memories, vectors of {sizes.dimension} dimensions"
        setting = Setting(data, MODEL, found.server())
    if options.json:
        document = {"steps": steps, "different": different}
        print(json.dumps({**asdict(setting), **document}, indent=2, default=asdict))
    else:
        _print(setting, steps, different)
    return 1 if different else 0


def _print(setting: Setting, steps: list[Step], different: list[str]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    names = ("step", "rows", "seconds", "rows/s", "peak MB", "file MB", "written meanwhile")
    for name in names:
        table.add_column(name, justify="left" if name == "step" else "right")
    for step in steps:
        table.add_row(
            step.name,
            f"{step.rows:,}",
            f"{step.seconds:.1f}",
            f"{step.rows_per_second:,.0f}",
            f"{step.peak_mb:.0f}",
            f"{step.file_mb:.0f}",
            f"{step.written_meanwhile:,}",
        )
    out = Console()
    out.print(f"{setting.data}; {setting.server}; {setting.machine}", soft_wrap=True)
    out.print(table)
    out.print(f"tables that differ: {', '.join(different) or 'none'}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--memories", type=int, default=100_000, metavar="COUNT")
    parser.add_argument("--dimension", type=int, default=384, metavar="COUNT")
    parser.add_argument("--dsn", help="a server, by a superuser; else an embedded one")
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
