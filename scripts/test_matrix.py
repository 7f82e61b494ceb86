"""Run the database part of the test suite against real servers of every supported version.

    python scripts/test_matrix.py                        # 13 to 18, and 18 with vector
    python scripts/test_matrix.py --only 13,18-vector
    python scripts/test_matrix.py --quick                # 13 and 15: what CI adds to `make test`

The servers are made as scripts/test_servers.py makes them, but new for each run, in a cache of
their own, so that nobody's `down` ends a run. They don't wait for disks, which makes the tests
three times as fast; what a server's crash leaves is tested elsewhere.

Prints a table, and last a line `N passed, N failed`. Exit code 1 if anything failed; a server that
can't be had on this machine is a row that says so, and no failure.

`make test` is the row of the newest version with vector, so --quick leaves that out.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import test_servers

ROOT = Path(__file__).resolve().parents[1]
PARTS = (
    "sql",
    "database",
    "doctor",
    "isolation",
    "memory",
    "migrations",
    "plans",
    "quality",
    "supabase",
)
LABELS = tuple(test_servers.PORTS)
QUICK = ("13", "15")
# Left out for time: deliberately broken databases and schemas, which test the doctor and the tests,
# and which no version of the server changes; random operations of tenants, which the matrix of
# isolation has cell by cell; the client and the runner, which are one on every server. What runs is
# the own of the database: functions, isolation, SQL, and a doctor that finds nothing to blame.
QUICK_OPTIONS = tuple(
    f"--ignore=tests/{path}"
    for path in (
        "doctor/test_faults.py",
        "isolation/test_mutants.py",
        "isolation/test_property.py",
        "memory",
        "migrations/test_drift.py",
        "migrations/test_login.py",
        "migrations/test_migration_failures.py",
        "migrations/test_migration_runner.py",
        "plans",
        "supabase",
    )
)
SERVER_OPTIONS = f"{test_servers.SERVER_OPTIONS} -c fsync=off -c full_page_writes=off"
HEADER = ("server", "vector", "passed", "failed", "skipped", "seconds")


@dataclass(frozen=True)
class Row:
    """What became of the tests on one server. `not_run` says why they did not run at all."""

    label: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    not_run: str | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as it is printed."""
        version, _, vector = self.label.partition("-")
        place = (version, "with" if vector else "without")
        if self.not_run:
            return (*place, f"not run: {self.not_run}")
        counts = (str(self.passed), str(self.failed), str(self.skipped))
        return (*place, *counts, f"{self.seconds:.0f}")


def counted(label: str, report: Path, exit_code: int, seconds: float) -> Row:
    """The counts of pytest's report; without one, or with none run, that is a failure."""
    if not report.exists():
        return Row(label, failed=1, seconds=seconds)
    suites = list(ElementTree.parse(report).iter("testsuite"))
    total, skipped, bad = (
        sum(int(suite.get(name, "0")) for suite in suites for name in names)
        for names in (("tests",), ("skipped",), ("failures", "errors"))
    )
    # Broken off, or nothing collected: no test need have failed.
    failed = bad or int(exit_code != 0)
    return Row(label, total - skipped - bad, failed, skipped, seconds)


def run_tests(label: str, dsn: str, options: Sequence[str]) -> Row:
    """Run the tests on one server; what pytest says goes to standard error."""
    # pytest ignores no folder that it is told to run.
    parts = [
        f"tests/{part}"
        for part in PARTS
        if (ROOT / "tests" / part).is_dir() and f"--ignore=tests/{part}" not in options
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    environment["PGRECALL_TEST_DSN"] = dsn
    began = time.monotonic()
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", f"--junitxml={report}", *options, *parts]
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=sys.stderr, check=False)
        return counted(label, report, done.returncode, time.monotonic() - began)


def why_missing(label: str, cache: Path) -> str | None:
    """Why a server can't be had on this machine; None if it can."""
    is_installed = (test_servers.find_binaries(label, cache) / "postgres").exists()
    if is_installed or shutil.which("npm") is not None:
        return None
    return "npm is missing"


def try_server(label: str, cache: Path, options: Sequence[str]) -> Row:
    """Run the tests on a new server, and stop it."""
    if reason := why_missing(label, cache):
        return Row(label, not_run=reason)
    account = test_servers.choose_account()
    test_servers.take_down(label, cache, account)
    shutil.rmtree(test_servers.describe_server(label, cache).folder, ignore_errors=True)
    try:
        server = test_servers.bring_up(label, cache, account, SERVER_OPTIONS)
        return run_tests(label, server.dsn, options)
    finally:
        test_servers.take_down(label, cache, account)


def as_table(rows: Iterable[Row]) -> str:
    """Columns of text below their headings."""
    lines = [HEADER, *(row.cells for row in rows)]
    # What stands in place of counts may be longer than they.
    widths = [max(len(line[at]) for line in lines if at < 2 or len(line) > 3) for at in range(6)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=False)).rstrip()
        for line in lines
    )


def chosen_labels(text: str) -> tuple[str, ...]:
    return tuple(test_servers.known_label(label) for label in text.split(","))


def parse_arguments() -> argparse.Namespace:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--only", type=chosen_labels, metavar="LABELS", help="such as 13,18-vector")
    which.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}")
    cache = test_servers.default_cache().with_name("test-matrix")
    parser.add_argument("--cache", type=Path, metavar="DIR", default=cache, help=f"({cache})")
    parser.add_argument("options", nargs="*", metavar="PYTEST", help="after --, for pytest")
    return parser.parse_args()


def run_matrix(labels: Sequence[str], cache: Path, options: Sequence[str]) -> list[Row]:
    """The rows of the table, two servers at a time: a test waits half of its time for its own."""
    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(lambda label: make_row(label, cache, options), labels))


def make_row(label: str, cache: Path, options: Sequence[str]) -> Row:
    """The row of one server; that it does not start is a failure."""
    print(f"--- PostgreSQL {label}", file=sys.stderr, flush=True)
    try:
        return try_server(label, cache, options)
    except (test_servers.ServerError, OSError) as error:
        print(f"test_matrix: {error}", file=sys.stderr)
        return Row(label, failed=1)


def main() -> int:
    arguments = parse_arguments()
    # Another account than the one that installs must be able to run the programs.
    os.umask(0o022)
    labels = arguments.only or (QUICK if arguments.quick else LABELS)
    cache = arguments.cache.absolute()
    with test_servers.sole_use(cache):
        options = (*arguments.options, *(QUICK_OPTIONS if arguments.quick else ()))
        rows = run_matrix(labels, cache, options)
    print(as_table(rows))
    failed = sum(row.failed for row in rows)
    print(f"{sum(row.passed for row in rows)} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
