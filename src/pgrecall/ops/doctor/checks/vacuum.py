"""What was deleted or replaced stays in a table until vacuum removes it, and every read goes over
it; and unless vacuum marks old rows as frozen, the server stops taking writes before its counter of
transactions comes round. Autovacuum does both by itself: this check names tables where it is off or
does not keep up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pgrecall.domain.diagnosis import Finding, Severity, Sign, sql
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.database import CheckedDatabase

_LEAST_DEAD = 5_000
_NEVER_VACUUMED = 50_000
# The server warns from 2.1e9 - 40e6 on, and takes no writes shortly after.
_DANGEROUS_AGE = 1_000_000_000


@dataclass(frozen=True)
class Table:
    """`age` is in transactions, `freeze_age` that at which autovacuum freezes."""

    name: str
    live: int
    dead: int
    is_vacuumed: bool
    is_left_out: bool
    age: int
    freeze_age: int


@dataclass(frozen=True)
class VacuumFacts:
    """The tables, and whether the server vacuums by itself at all."""

    tables: Sequence[Table]
    is_automatic: bool


def read(database: CheckedDatabase) -> VacuumFacts:
    """What the server counts."""
    tables = [Table(**row) for row in database.rows("doctor_vacuum", tables=database.tables)]
    return VacuumFacts(tables, database.row("doctor_autovacuum")["is_automatic"])


def judge(facts: VacuumFacts) -> Iterator[Sign]:
    """Where vacuum is missed."""
    if not facts.is_automatic:
        cure = sql("ALTER SYSTEM RESET autovacuum;", "SELECT pg_reload_conf();")
        yield Finding("error", "autovacuum", "it is off for the whole server", cure)
    for table in facts.tables:
        if table.is_left_out:
            cure = sql(f"ALTER TABLE {table.name} RESET (autovacuum_enabled);", is_safe=True)
            yield Finding("warning", table.name, "autovacuum leaves it out", cure)
        yield from _judge_rows(table)
        yield from _judge_age(table)


def _judge_rows(table: Table) -> Iterator[Sign]:
    cure = sql(f"VACUUM (ANALYZE) {table.name};", is_safe=True)
    if table.dead >= _LEAST_DEAD and table.dead > table.live / 2:
        evidence = f"{table.dead:,} dead rows beside {table.live:,} living ones"
        yield Finding("warning", table.name, evidence, cure)
    elif table.live >= _NEVER_VACUUMED and not table.is_vacuumed:
        yield Finding("notice", table.name, f"{table.live:,} rows, never vacuumed", cure)


def _judge_age(table: Table) -> Iterator[Sign]:
    if table.age > min(1.2 * table.freeze_age, _DANGEROUS_AGE):
        severity: Severity = "critical" if table.age > _DANGEROUS_AGE else "error"
        yield Finding(
            severity,
            table.name,
            f"its oldest row is {table.age:,} transactions old; "
            f"autovacuum should have frozen it at {table.freeze_age:,}",
            sql(f"VACUUM (FREEZE) {table.name};", is_safe=True),
        )


CHECK = Check("vacuum", "Vacuum", read, judge)
