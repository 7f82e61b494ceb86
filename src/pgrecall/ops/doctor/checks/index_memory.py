"""A search through an HNSW index reads pages all over it, so it is fast from memory and slow from
disk. This check compares the size of all HNSW indexes with the memory that the server says it has
for caching (`effective_cache_size`, which should be about what `shared_buffers` and the system's
file cache have together).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pgrecall.domain.diagnosis import Finding, Sign, advice, sql
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.database import CheckedDatabase


@dataclass(frozen=True)
class IndexMemoryFacts:
    """Bytes of all HNSW indexes and of memory; `is_given` by this database's own setting."""

    database: str
    indexes: int
    size: int
    memory: int
    is_given: bool


def read(database: CheckedDatabase) -> IndexMemoryFacts:
    """Sizes."""
    return IndexMemoryFacts(**database.row("doctor_hnsw_size", tables=database.tables))


def judge(facts: IndexMemoryFacts) -> Iterator[Sign]:
    """Whether they fit."""
    if facts.size <= facts.memory:
        return
    evidence = f"{_amount(facts.size)}, and {_amount(facts.memory)} of memory to cache them"
    yield Finding(
        "warning",
        f"{facts.indexes} HNSW indexes",
        evidence,
        sql(f"ALTER DATABASE {facts.database} RESET effective_cache_size;")
        if facts.is_given
        else advice("Give the server more memory; then shared_buffers a quarter of it."),
    )


def _amount(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


CHECK = Check("index_memory", "HNSW indexes in memory", read, judge)
