"""A btree from which much was deleted keeps its pages: it is read and cached at its former size.
The size that an index should have is estimated from its rows and the widths that ANALYZE has
counted; what is three times as large, and 4 MB larger, is worth building anew, which `CONCURRENTLY`
does while others go on writing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pgrecall.domain.diagnosis import Finding, Sign, sql
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.database import CheckedDatabase

PAGE_BYTES = 8192
_PAGE_OVERHEAD, _ENTRY_OVERHEAD, _FILL = 40, 16, 0.9
_TIMES, _LEAST_PAGES = 3, 512


@dataclass(frozen=True)
class Btree:
    """An index with so many pages and entries, each with keys of `width` bytes on average."""

    name: str
    pages: int
    entries: float
    width: float


def read(database: CheckedDatabase) -> Sequence[Btree]:
    """Sizes, and the planner's statistics, of those indexes that have them."""
    return [Btree(**row) for row in database.rows("doctor_btrees", tables=database.tables)]


def judge(btrees: Sequence[Btree]) -> Iterator[Sign]:
    """Those much larger than their entries need."""
    for index in btrees:
        fair = fair_pages(index.entries, index.width)
        if index.pages > _TIMES * fair and index.pages - fair > _LEAST_PAGES:
            yield Finding(
                "warning",
                index.name,
                f"{_megabytes(index.pages)} MB, where {_megabytes(fair)} would do",
                sql(f"REINDEX INDEX CONCURRENTLY {index.name};", is_safe=True),
            )


def fair_pages(entries: float, width: float) -> float:
    """The pages that a freshly built btree has: entries of keys, their header and their pointer,
    aligned to 8 bytes, in pages that are filled to nine tenths."""
    entry = -(-width // 8) * 8 + _ENTRY_OVERHEAD
    each = (PAGE_BYTES - _PAGE_OVERHEAD) * _FILL // entry
    return 1 + entries / max(1, each)


def _megabytes(pages: float) -> str:
    return f"{pages * PAGE_BYTES / 1e6:.0f}"


CHECK = Check("index_bloat", "Bloated indexes", read, judge)
