"""The source that is meant, found out and opened."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, cast
from zipfile import BadZipFile, ZipFile
from zoneinfo import ZoneInfo

from pgrecall.errors import InvalidInputError
from pgrecall.ops.transfer.chat import Chat, read_chat
from pgrecall.ops.transfer.chat_lines import DATE_ORDERS, DateOrder
from pgrecall.ops.transfer.columns import read_csv
from pgrecall.ops.transfer.conversations import read_conversations
from pgrecall.ops.transfer.detection import ZIP, detected_format
from pgrecall.ops.transfer.items import SourceParts
from pgrecall.ops.transfer.json_lines import read_json_lines
from pgrecall.ops.transfer.langgraph import read_langgraph
from pgrecall.ops.transfer.mem0 import read_mem0
from pgrecall.ops.transfer.parquet import read_parquet
from pgrecall.ops.transfer.tables import rows_of

FILES = ("pgrecall", "csv", "parquet", "openai", "claude", "chat")
TABLES = {"mem0": "mem0", "langgraph": "store"}
SOURCES = (*FILES, *TABLES)
_COMPOSE = {"mem0": "compose_payload_rows", "langgraph": "compose_store_rows"}
_ADDRESSES = ("postgresql://", "postgres://")
_HEAD = 64 * 1024


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What a source can be told; None leaves it to the source.

    `table` and `namespace` are of tables, the others of chat logs: the conversation's key, day and
    month's order, the time zone's name, the names of speakers that are assistants.
    """

    table: str | None = None
    namespace: str | None = None
    context: str | None = None
    date_order: str | None = None
    time_zone: str = "UTC"
    assistants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """An open source: in words, its items, and how much of it has been read, of how much.

    `progress` gives bytes of a file, None where nobody knows how much there is.
    """

    name: str
    items: SourceParts
    is_bytes: bool
    progress: Callable[[], tuple[int, int | None]]


@contextmanager
def opened_source(file: str, source: str, options: SourceOptions) -> Iterator[Source]:
    """The source at a path, a database's address, or - for standard input.

    `auto` as the source looks at what is in a file. Raises InvalidInputError, NotFoundError for a
    table that is not there.
    """
    if source not in (*SOURCES, "auto"):
        raise InvalidInputError(f"--from must be one of {', '.join(SOURCES)}, not {source!r}")
    if file.startswith(_ADDRESSES) or source in TABLES:
        with _table(file, source, options) as found:
            yield found
    else:
        with _stream(file) as stream:
            yield _file(stream, file, source, options)


@contextmanager
def _table(dsn: str, source: str, options: SourceOptions) -> Iterator[Source]:
    if source not in TABLES or not dsn.startswith(_ADDRESSES):
        raise InvalidInputError(
            "a table is read from a database's address, and of a system that is named",
            hint="pgrecall import postgresql://… --from mem0 (or langgraph), --table if need be.",
        )
    table = options.table or TABLES[source]
    with rows_of(dsn, table, _COMPOSE[source]) as rows:
        items = read_mem0(rows) if source == "mem0" else read_langgraph(rows, options.namespace)
        yield Source(f"table {table}, as {source}", items, False, lambda: (0, None))


@contextmanager
def _stream(file: str) -> Iterator[BinaryIO]:
    try:
        opened = TemporaryFile() if file == "-" else Path(file).open("rb")  # noqa: SIM115
    except OSError as error:
        raise InvalidInputError(f"{file}: {error.strerror}") from None
    with opened as stream:
        if file == "-":
            # Some formats are read from their end, or twice.
            shutil.copyfileobj(sys.stdin.buffer, stream)
            stream.seek(0)
        yield stream


def _file(stream: BinaryIO, file: str, source: str, options: SourceOptions) -> Source:
    size = os.fstat(stream.fileno()).st_size
    name = "standard input" if file == "-" else Path(file).name
    head = stream.read(_HEAD)
    stream.seek(0)
    if head.startswith(ZIP):
        return _archive(stream, name, source, size)
    kind = detected_format(file, head) if source == "auto" else source
    items = _reading(kind, stream, file, options)
    return Source(f"{name}, as {kind}", items, True, lambda: (stream.tell(), size))


def _reading(kind: str, stream: BinaryIO, file: str, options: SourceOptions) -> SourceParts:
    if kind in ("openai", "claude"):
        return read_conversations(stream, kind)
    if kind == "chat":
        return read_chat(stream, _chat(stream, file, options))
    return {"pgrecall": read_json_lines, "csv": read_csv, "parquet": read_parquet}[kind](stream)


def _chat(stream: BinaryIO, file: str, options: SourceOptions) -> Chat:
    order = options.date_order
    if order is not None and order not in DATE_ORDERS:
        raise InvalidInputError(f"--date-order must be one of {', '.join(DATE_ORDERS)}")
    try:
        # Known everywhere; a system may lack all others.
        utc = UTC
        zone = utc if options.time_zone == "UTC" else ZoneInfo(options.time_zone)
    except (ValueError, OSError, KeyError):
        raise InvalidInputError(
            f"there is no time zone {options.time_zone!r}", hint="Such as Europe/Berlin, or UTC."
        ) from None
    changed_at = os.fstat(stream.fileno()).st_mtime
    return Chat(
        context=options.context or ("chat" if file == "-" else Path(file).stem),
        began_at=datetime.fromtimestamp(changed_at, UTC),
        zone=zone,
        order=_ORDERS.get(order or ""),
        assistants=frozenset(name.lower() for name in options.assistants),
    )


_ORDERS: dict[str, DateOrder] = {"dmy": "dmy", "mdy": "mdy", "ymd": "ymd"}


def _archive(stream: BinaryIO, name: str, source: str, size: int) -> Source:
    """The conversations in an export as it is downloaded: a zip archive."""
    try:
        archive = ZipFile(stream)
        members = [each for each in archive.namelist() if _is_conversations(each)]
    except BadZipFile as error:
        raise InvalidInputError(f"{name} is no whole zip archive: {error}") from None
    if not members:
        raise InvalidInputError(f"{name} has no conversations.json in it")
    with archive.open(members[0]) as first:
        kind = detected_format(members[0], first.read(_HEAD)) if source == "auto" else source
    if kind not in ("openai", "claude"):
        raise InvalidInputError(f"{name} is no export that pgrecall knows")

    def items() -> SourceParts:
        for member in sorted(members):
            with archive.open(member) as opened:
                yield from read_conversations(cast("BinaryIO", opened), kind)

    return Source(f"{name}, as {kind}", items(), True, lambda: (stream.tell(), size))


def _is_conversations(member: str) -> bool:
    return Path(member).name.startswith("conversations") and member.endswith(".json")
