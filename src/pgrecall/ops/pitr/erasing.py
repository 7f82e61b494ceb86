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
from pgrecall._sync.pool import DictConnection, connected
from pgrecall.embedded.wal import Segment, find_segment
from pgrecall.ops.entombed import erase_entombed
from pgrecall.settings import Settings
from pgrecall.sql import statement
from pgrecall.sql.failures import translated

# The log stays until it is filed away, however much of it there is.
KEEPING = {"archive_mode": "off", "wal_keep_size": "1TB"}


@dataclass(frozen=True)
class Erasures:
    """Those made after a time: their records as JSON, and every tombstone there is."""

    records: list[str]
    tombstones: list[DictRow]


@dataclass(frozen=True)
class Repeated:
    """How many memories were erased again, and the complete files of the log that tell of it."""

    memories: int
    log: list[str]


def count_erasures(dsn: str, target: datetime) -> int | None:
    """How many erasures were made after a time; None where the database keeps no record of them."""
    with translated(), connected(dsn, Settings()) as connection:
        if not _knows_erasures(connection):
            return None
        [row] = _rows(connection, "count_erasures_since", target=target)
    return int(row["erasures"])


def read_erasures(home: Path, target: datetime) -> Erasures:
    """The erasures that the database of a home knows of and that were made after a time."""
    with (
        embedded.join(home) as lease,
        translated(),
        connected(lease.dsn, Settings()) as connection,
    ):
        records = [row["line"] for row in _rows(connection, "read_erasures_since", target=target)]
        return Erasures(records, _rows(connection, "read_tombstones") if records else [])


def repeat(dsn: str, erasures: Erasures) -> Repeated:
    """Erase it all again, in one transaction. A database from before erasures holds none."""
    with translated(), connected(dsn, Settings()) as connection:
        if not _knows_erasures(connection):
            return Repeated(0, [])
        first = _file_of_log(connection, "get_log_file")
        with connection.transaction():
            _adopt(connection, erasures)
            memories = sum(
                erase_entombed(connection, row["organization_id"])
                for row in _rows(connection, "list_organizations_with_erasures")
            )
        last = _file_of_log(connection, "switch_log")
    numbers = range(first.number, last.number + 1)
    return Repeated(memories, [Segment(number, last.timeline).name for number in numbers])


def _adopt(connection: DictConnection, erasures: Erasures) -> None:
    columns = ("organization_id", "digest", "erased_at")
    given = {f"{name}s": [row[name] for row in erasures.tombstones] for name in columns}
    asked = statement("adopt_erasures", {**given, "records": erasures.records})
    connection.execute(asked.sql, asked.parameters)


def _knows_erasures(connection: DictConnection) -> bool:
    [row] = _rows(connection, "knows_erasures")
    return bool(row["is_so"])


def _file_of_log(connection: DictConnection, name: str) -> Segment:
    [row] = _rows(connection, name)
    found = find_segment(row["name"])
    assert found is not None, row
    return found


def _rows(connection: DictConnection, name: str, **given: object) -> list[DictRow]:
    asked = statement(name, given)
    return connection.execute(asked.sql, asked.parameters).fetchall()
