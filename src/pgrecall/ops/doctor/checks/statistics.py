"""The planner chooses between an index and reading everything by what ANALYZE last counted, and
recall estimates by it how large an organization is. Autovacuum analyzes by itself; after a bulk
load, a restore or an upgrade it is worth doing at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pgrecall.domain.diagnosis import Finding, Sign, sql
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.database import CheckedDatabase

_LEAST_ROWS = 5_000


@dataclass(frozen=True)
class Table:
    """`changed` rows since it was last analyzed."""

    name: str
    live: int
    changed: int
    is_analyzed: bool


def read(database: CheckedDatabase) -> Sequence[Table]:
    """What the server counts."""
    return [Table(**row) for row in database.rows("doctor_statistics", tables=database.tables)]


def judge(tables: Sequence[Table]) -> Iterator[Sign]:
    """Where the planner goes by what was."""
    for table in tables:
        cure = sql(f"ANALYZE {table.name};", is_safe=True)
        if table.live >= _LEAST_ROWS and not table.is_analyzed:
            evidence = f"{table.live:,} rows, never analyzed"
            yield Finding("warning", table.name, evidence, cure)
        elif table.changed >= _LEAST_ROWS and table.changed > table.live / 2:
            evidence = f"{table.changed:,} of {table.live:,} rows have changed since"
            yield Finding("warning", table.name, evidence, cure)


CHECK = Check("statistics", "Statistics for the planner", read, judge)
