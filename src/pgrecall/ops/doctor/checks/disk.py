"""A server whose disk is full stops. Where it runs on this machine, the file systems of its data
and its tablespaces are looked at, and the one of `PGRECALL_HOME`. A replication slot that nobody
reads keeps every log file since it was last read, until the disk is full; it is named with what it
keeps.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pgrecall.domain.diagnosis import Cure, Fact, Finding, Sign, Unseen, advice, sql
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.checks.connection import is_remote
from pgrecall.ops.doctor.database import CheckedDatabase
from pgrecall.ops.doctor.surroundings import Bounds

_CRITICAL_PART = 0.2


@dataclass(frozen=True)
class Place:
    """A folder whose file system has so many bytes, of which so many are free; `tablespace` is
    the one that lies there, None for the server's own data and for PGRECALL_HOME."""

    folder: str
    tablespace: str | None
    free: int
    total: int


@dataclass(frozen=True)
class Slot:
    """A replication slot that nobody reads, and the bytes of logs that it keeps."""

    name: str
    kept: int


@dataclass(frozen=True)
class DiskFacts:
    """`hidden` are places that can't be looked at from here."""

    places: Sequence[Place]
    hidden: Sequence[str]
    slots: Sequence[Slot]
    bounds: Bounds


def read(database: CheckedDatabase) -> DiskFacts:
    """File systems of this machine, and what the server tells."""
    folders = {str(database.surroundings.home): None} if database.surroundings.is_embedded else {}
    hidden = ["of the server"] if is_remote(database) else []
    if not hidden:
        rows = database.rows("doctor_folders")
        hidden = ["of the server"] if not any(row["folder"] for row in rows) else []
        folders |= {row["folder"]: row["tablespace"] for row in rows if row["folder"]}
    places: list[Place] = []
    for folder, tablespace in folders.items():
        try:
            usage = shutil.disk_usage(Path(folder))
            places.append(Place(folder, tablespace, usage.free, usage.used + usage.free))
        except OSError:
            hidden.append(folder)
    slots = [Slot(**row) for row in database.rows("doctor_unread_slots")]
    return DiskFacts(places, hidden, slots, database.surroundings.bounds)


def judge(facts: DiskFacts) -> Iterator[Sign]:
    """What is nearly full, and what fills it."""
    for slot in facts.slots:
        if slot.kept >= facts.bounds.slot_bytes:
            evidence = f"nobody reads it, and it keeps {slot.kept / 1e6:,.0f} MB of logs"
            cure = sql(f"SELECT pg_drop_replication_slot('{slot.name}');")
            yield Finding("error", f"replication slot {slot.name}", evidence, cure)
    for place in facts.places:
        part = place.free / max(1, place.total)
        evidence = f"{place.free / 1e9:,.1f} of {place.total / 1e9:,.1f} GB are free"
        if part >= facts.bounds.disk_free:
            yield Fact(f"{place.folder}: {evidence}")
            continue
        is_full = part < _CRITICAL_PART * facts.bounds.disk_free
        yield Finding("critical" if is_full else "warning", place.folder, evidence, _cure(place))
    for folder in facts.hidden:
        yield Unseen(f"how full the disk {folder} is", "the doctor on its machine, as its account")


def _cure(place: Place) -> Cure:
    if place.tablespace is None:
        return advice("Free space, or move the data to a larger file system.")
    return sql(
        f"ALTER TABLE ALL IN TABLESPACE {place.tablespace} SET TABLESPACE pg_default;",
        f"ALTER INDEX ALL IN TABLESPACE {place.tablespace} SET TABLESPACE pg_default;",
    )


CHECK = Check("disk", "Disks", read, judge, needs="database")
