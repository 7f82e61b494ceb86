"""Apply pgrecall's migrations to the database that DATABASE_URL names.

    DATABASE_URL=postgresql://user:password@host/database python scripts/apply_memory_migrations.py
    python scripts/apply_memory_migrations.py --accept 20261101_memory_history.sql

DATABASE_URL is taken from the environment, else from the file .env of the current directory. Safe
to run again, and from several places at once. Exit code 0: the database is up to date; 1: it is
not, and the message says what to do; 2: no database is named.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from pgrecall._async.migrate import migrate
from pgrecall.domain.migration import MigrationReport
from pgrecall.errors import PgRecallError
from pgrecall.settings import Settings


def show(report: MigrationReport) -> None:
    for notice in report.notices:
        print(f"note: {notice}")
    for migration in report.applied:
        print(f"applied {migration.name}: {migration.reason}")
    print(f"{report.database} is up to date ({report.seconds:.2f} s)")


def parse_arguments() -> argparse.Namespace:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--lock-timeout", type=float, default=5.0, metavar="SECONDS", help="per lock (5)"
    )
    parser.add_argument(
        "--accept", action="append", default=[], metavar="NAME", help="apply an edited file anew"
    )
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    try:
        dsn = Settings().database_url
        if dsn is None:
            print("Set DATABASE_URL, in the environment or in .env.", file=sys.stderr)
            return 2
        wanted = migrate(
            dsn.get_secret_value(), lock_timeout=arguments.lock_timeout, accept=arguments.accept
        )
        show(asyncio.run(wanted))
    except PgRecallError as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
