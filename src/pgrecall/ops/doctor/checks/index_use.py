"""Every index is kept up to date by every write. Two that say the same cost twice, and one that
nobody has read by, costs for nothing. pgrecall's own are never called unused: some serve what
happens once a year. An index counts as unused when the server has counted reads for a week.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pgrecall.domain.diagnosis import Finding, Sign, sql
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.database import CheckedDatabase
from pgrecall.sql.migration_files import read_release

_OWN = re.compile(r"(?:index |')([a-z0-9_%$]+_idx)\b")
_LEAST_BYTES = 1_000_000


@dataclass(frozen=True)
class Index:
    """`twins` are equal but for the name; `counted_days` for how long reads were counted."""

    name: str
    table: str
    is_own: bool
    is_needed: bool
    size: int
    reads: int
    counted_days: float
    twins: tuple[str, ...]


@dataclass(frozen=True)
class IndexUseFacts:
    """The indexes of pgrecall's tables."""

    indexes: Sequence[Index]
    unused_days: float


def read(database: CheckedDatabase) -> IndexUseFacts:
    """What the server counts, and which are the migrations' own."""
    own = [
        re.compile(_any_number(name))
        for file in read_release().install
        for name in _OWN.findall(file.text)
    ]
    rows = database.rows("doctor_index_use", tables=database.tables)
    indexes = [
        Index(
            **{
                **row,
                "twins": tuple(row["twins"]),
                "is_own": any(each.fullmatch(row["is_own"]) for each in own),
            }
        )
        for row in rows
    ]
    return IndexUseFacts(indexes, database.surroundings.bounds.unused_days)


def judge(facts: IndexUseFacts) -> Iterator[Sign]:
    """Those that can go."""
    kept = {each.name for each in facts.indexes if each.is_own or each.is_needed}
    for index in facts.indexes:
        if index.name in kept:
            continue
        cure = sql(f"DROP INDEX CONCURRENTLY {index.name};")
        twin = next((name for name in index.twins if name in kept or name < index.name), None)
        if twin is not None:
            yield Finding("warning", index.name, f"it says the same as {twin}", cure)
        elif (
            index.reads == 0
            and index.size >= _LEAST_BYTES
            and index.counted_days >= facts.unused_days
        ):
            evidence = f"{index.size / 1e6:.0f} MB, and no read in {index.counted_days:.0f} days"
            yield Finding("notice", index.name, evidence, cure)


def _any_number(name: str) -> str:
    """The name of an index as a migration composes it, in which a format's place is a number."""
    return re.sub(r"%+\d+\\?\$s", r"\\d+", name)


CHECK = Check("index_use", "Indexes that cost more than they give", read, judge)
