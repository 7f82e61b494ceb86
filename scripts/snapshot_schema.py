"""Write src/pgrecall/sql/schema.sql: the schema that the migrations make, in one piece.

    python scripts/snapshot_schema.py           # write it
    python scripts/snapshot_schema.py --check   # exit 1, with the difference, if it is stale

The schema is that of the embedded server, dumped from a fresh database.
"""

from __future__ import annotations

import argparse
import asyncio
import difflib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from pgrecall._async.migrate import migrate
from pgrecall.embedded import binary, join

SNAPSHOT = Path(__file__).parents[1] / "src" / "pgrecall" / "sql" / "schema.sql"
HEADER = """\
-- What the migrations make, on the embedded server. For reading and reviewing; to install, use the
-- migrations. Written by scripts/snapshot_schema.py, checked by `make check`.
"""
# Empty comments, versions, the session's settings, and a schema that every database has.
NOISE = re.compile(
    r"""--$ | --[ ](Dumped|PostgreSQL[ ]database[ ]dump) | \\(un)?restrict[ ] | SET[ ]
    | SELECT[ ]pg_catalog\.set_config\(
    | (--[ ]Name:[ ](SCHEMA[ ])? | CREATE[ ]SCHEMA[ ] | COMMENT[ ]ON[ ]SCHEMA[ ])public\b""",
    re.VERBOSE,
)
DUMP_OPTIONS = ["--schema-only", "--no-owner", "--schema=public", "--schema=agent_memory"]


def dump_schema() -> str:
    """The schema of a fresh database, as pg_dump prints it."""
    with (
        tempfile.TemporaryDirectory(prefix="pgrecall-") as folder,
        join(Path(folder) / "home") as lease,
    ):
        asyncio.run(migrate(lease.dsn))
        command = [str(binary("pg_dump")), *DUMP_OPTIONS, "--dbname", lease.dsn]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def normalise(dump: str) -> str:
    """A dump without what is noise here or differs from run to run."""
    lines = [line.rstrip() for line in dump.splitlines() if not NOISE.match(line)]
    body = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    return f"{HEADER}\n{body}\n"


def main() -> int:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    is_check = parser.parse_args().check
    schema = normalise(dump_schema())
    if not is_check:
        SNAPSHOT.write_text(schema, encoding="utf-8")
        return 0
    stored = SNAPSHOT.read_text(encoding="utf-8") if SNAPSHOT.exists() else ""
    difference = difflib.unified_diff(
        stored.splitlines(), schema.splitlines(), "schema.sql", "the migrations", lineterm=""
    )
    lines = list(difference)
    print("\n".join(lines) or "schema.sql is up to date")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
