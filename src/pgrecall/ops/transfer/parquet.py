"""Parquet, by pyarrow, which the extra `parquet` brings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any, BinaryIO

from pgrecall.domain.transfer import TIMES
from pgrecall.errors import InvalidInputError, MissingExtraError
from pgrecall.ops.transfer.columns import DOCUMENTS, NUMBERS, WHOLE_NUMBERS, columns, fields_of
from pgrecall.ops.transfer.files import Record, as_json, plain_text
from pgrecall.ops.transfer.items import Item, Malformed, SourceParts

# Rows that are held in memory at once.
GROUP = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def write_parquet(stream: BinaryIO, records: Iterable[Record], *, with_history: bool) -> None:
    """A file with one row a memory; times are of microseconds in UTC, documents are JSON text.

    Raises MissingExtraError.
    """
    arrow = _arrow()
    schema = arrow.schema([(name, _type(arrow, name)) for name in columns(with_history)])
    reading = iter(records)
    with arrow.parquet.ParquetWriter(stream, schema, compression="zstd") as writer:
        while group := list(islice(reading, GROUP)):
            rows = [
                {name: _cell(name, record.get(name)) for name in schema.names} for record in group
            ]
            writer.write_table(arrow.Table.from_pylist(rows, schema))


def read_parquet(stream: BinaryIO) -> SourceParts:
    """The memories of a file whose columns have the names of fields.

    Raises InvalidInputError if it is no Parquet, MissingExtraError.
    """
    arrow = _arrow()
    try:
        file = arrow.parquet.ParquetFile(stream)
    except (arrow.ArrowException, OSError) as error:
        raise InvalidInputError(f"this is no Parquet file: {error}") from None
    if "content" not in file.schema_arrow.names:
        raise InvalidInputError("the Parquet file has no column content")
    number = 0
    try:
        for batch in file.iter_batches(batch_size=GROUP):
            for row in range(batch.num_rows):
                number += 1
                cells = [column[row] for column in batch.columns]
                yield _read(arrow, f"row {number}", batch.schema.names, cells)
    except (arrow.ArrowException, OSError) as error:
        yield Malformed(f"row {number + 1}", f"no Parquet ({error}); the rest was not read")


def _read(arrow: Any, position: str, names: list[str], cells: list[Any]) -> Item | Malformed:
    try:
        values = [_value(arrow, cell) for cell in cells]
        return Item(position, fields_of(dict(zip(names, values, strict=True))))
    except OverflowError:
        return Malformed(position, "it has a time outside the years 1 to 9999")
    except ValueError as error:
        return Malformed(position, str(error))


def _value(arrow: Any, cell: Any) -> Any:
    """In Python's types: a time to the microsecond, a day as its beginning; both in UTC."""
    if isinstance(cell, arrow.TimestampScalar) and cell.is_valid:
        microseconds = cell.value * 1_000_000 // _PER_SECOND[cell.type.unit]
        return _EPOCH + timedelta(microseconds=microseconds)
    value = cell.as_py()
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time(), UTC)
    return value


def _arrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError(
            "Parquet files need pyarrow", hint="pip install 'pgrecall[parquet]'"
        ) from None
    return pyarrow


def _type(arrow: Any, name: str) -> Any:
    if name in TIMES:
        return arrow.timestamp("us", tz="UTC")
    if name in WHOLE_NUMBERS:
        return arrow.int64()
    return arrow.float32() if name in NUMBERS else arrow.string()


def _cell(name: str, value: object) -> object:
    if value is None or name in (*TIMES, *NUMBERS, *WHOLE_NUMBERS):
        return value
    return as_json(value) if name in DOCUMENTS else plain_text(value)
