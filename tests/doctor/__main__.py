"""The fault table: every fault is made, named, cured and looked at again.

python -m tests.doctor           # runs and prints it; exit code 1 if a cell is not as declared
python -m tests.doctor --write   # writes the generated parts of docs/doctor.md; runs nothing
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from pgrecall import embedded
from pgrecall.ops.doctor.examination import examine
from pgrecall.testing.databases import template_database
from tests.doctor.databases import abilities_of, healthy_database, sandbox
from tests.doctor.fault import attempt
from tests.doctor.faults import FAULTS
from tests.doctor.rendering import as_text, outcome, page

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"


@contextmanager
def server() -> Iterator[str]:
    """A superuser's connection string, as the tests' own."""
    if given := os.environ.get("PGRECALL_TEST_DSN"):
        yield given
        return
    with TemporaryDirectory() as folder, embedded.join(Path(folder) / "home") as lease:
        yield lease.dsn


def run(dsn: str) -> tuple[list[tuple[str, str, str, str]], int]:
    """The rows of the table, and how many are not as declared."""
    rows, failures, abilities = [], 0, abilities_of(dsn)
    with template_database(dsn) as template, healthy_database(template) as healthy:
        with sandbox(None, healthy) as database:
            found = examine(database.surroundings).worst
        rows.append(("healthy", "-", "nothing found" if found is None else f"NOT: {found}", ""))
        failures += found is not None
        for fault in FAULTS:
            if missing := set(fault.needs) - abilities:
                said, seconds = f"not run: no {', '.join(sorted(missing))}", ""
            else:
                with sandbox(fault, healthy) as database:
                    tried = attempt(fault, database)
                wrong = outcome(tried)
                failures += bool(wrong)
                said, seconds = wrong or "named, cured, clear", f"{tried.seconds:.1f} s"
            rows.append((fault.name, fault.check, said, seconds))
            sys.stderr.write(f"{len(rows) - 1}/{len(FAULTS)} {fault.name}\n")
    return rows, failures


def main() -> int:
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
        return 0
    began = time.monotonic()
    with server() as dsn:
        rows, failures = run(dsn)
    seconds = time.monotonic() - began
    sys.stdout.write(as_text([("fault", "check", "outcome", ""), *rows]))
    sys.stdout.write(f"\n{len(FAULTS)} faults, {failures} not as declared, {seconds:.0f} s\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
