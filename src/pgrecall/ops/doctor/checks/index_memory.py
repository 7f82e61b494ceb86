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
from pgrecall.ops.doctor.patient import Patient


@dataclass(frozen=True)
class Reading:
    """Bytes of all HNSW indexes and of memory; `is_given` by this database's own setting."""

    database: str
    indexes: int
    size: int
    memory: int
    is_given: bool


def read(patient: Patient) -> Reading:
    """Sizes."""
    return Reading(**patient.row("doctor_hnsw_size", tables=patient.tables))


def judge(reading: Reading) -> Iterator[Sign]:
    """Whether they fit."""
    if reading.size <= reading.memory:
        return
    evidence = f"{_amount(reading.size)}, and {_amount(reading.memory)} of memory to cache them"
    yield Finding(
        "warning",
        f"{reading.indexes} HNSW indexes",
        evidence,
        sql(f"ALTER DATABASE {reading.database} RESET effective_cache_size;")
        if reading.is_given
        else advice("Give the server more memory; then shared_buffers a quarter of it."),
    )


def _amount(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


CHECK = Check("index_memory", "HNSW indexes in memory", read, judge)
