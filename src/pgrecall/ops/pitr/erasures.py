"""Erasures that a recovery would undo, made again before anybody sees what was recovered.

They are read from the present database and done in the recovered one while it is still in a home
of its own. What that writes to the log belongs to the new timeline: its files are named here, so
that they are filed away once the server runs as usual.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from psycopg.rows import DictRow

from pgrecall import embedded
from pgrecall._sync.session import Session, connected
from pgrecall.embedded.wal import Segment, find_segment
from pgrecall.ops.erasure import repeat_erasures

# The log stays until it is filed away, however much of it there is.
KEEPING = {"archive_mode": "off", "wal_keep_size": "1TB"}


@dataclass(frozen=True)
class Erasures:
    """Those made after a time: their records as JSON, and every tombstone there is."""

    records: list[str]
    tombstones: list[DictRow]


@dataclass(frozen=True)
class RepeatedErasures:
    """How many memories were erased again, and the complete files of the log that tell of it."""

    memories: int
    log: list[str]


def count_erasures(dsn: str, target: datetime) -> int | None:
    """How many erasures were made after a time; None where the database keeps no record of them."""
    with connected(dsn, "pitr") as session:
        if not session.row("knows_erasures")["is_so"]:
            return None
        return int(session.row("count_erasures_since", target=target)["erasures"])


def read_erasures(home: Path, target: datetime) -> Erasures:
    """The erasures that the database of a home knows of and that were made after a time."""
    with embedded.join(home) as lease, connected(lease.dsn, "pitr") as session:
        records = [row["line"] for row in session.rows("read_erasures_since", target=target)]
        return Erasures(records, session.rows("read_tombstones") if records else [])


def repeat(dsn: str, erasures: Erasures) -> RepeatedErasures:
    """Erase it all again, in one transaction. A database from before erasures holds none."""
    with connected(dsn, "pitr") as session:
        if not session.row("knows_erasures")["is_so"]:
            return RepeatedErasures(0, [])
        first = _file_of_log(session, "get_log_file")
        with session.connection.transaction():
            _adopt(session, erasures)
            memories = sum(
                repeat_erasures(session, row["organization_id"])
                for row in session.rows("list_organizations_with_erasures")
            )
        last = _file_of_log(session, "switch_log")
    numbers = range(first.number, last.number + 1)
    return RepeatedErasures(memories, [Segment(number, last.timeline).name for number in numbers])


def _adopt(session: Session, erasures: Erasures) -> None:
    columns = ("organization_id", "digest", "erased_at")
    given = {f"{name}s": [row[name] for row in erasures.tombstones] for name in columns}
    session.rows("adopt_erasures", **given, records=erasures.records)


def _file_of_log(session: Session, name: str) -> Segment:
    row = session.row(name)
    found = find_segment(row["name"])
    assert found is not None, row
    return found
