"""CSV, and what it has in common with Parquet: one column a field, documents as JSON text."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from io import TextIOWrapper
from typing import Any, BinaryIO

from pgrecall.domain.transfer import FIELDS, HISTORY
from pgrecall.errors import InvalidInputError
from pgrecall.ops.transfer.files import Record, as_json, plain_text
from pgrecall.ops.transfer.items import Item, Malformed, SourceParts
from pgrecall.ops.transfer.json_lines import parsed

DOCUMENTS = ("metadata", HISTORY)
NUMBERS = ("importance", "confidence")
WHOLE_NUMBERS = ("position",)
# A content may have 1,000,000 characters, and a history many of them.
MAX_FIELD = 64 * 1024 * 1024


def columns(with_history: bool) -> tuple[str, ...]:
    """The columns of a file."""
    return (*FIELDS, HISTORY) if with_history else FIELDS


def write_csv(stream: BinaryIO, records: Iterable[Record], *, with_history: bool) -> None:
    """A header and one row a memory, as RFC 4180 has it, in UTF-8; what is unknown is empty."""
    names = columns(with_history)
    text = TextIOWrapper(stream, "utf-8", newline="", write_through=True)
    try:
        writer = csv.writer(text)
        writer.writerow(names)
        for record in records:
            writer.writerow([_cell(name, record.get(name)) for name in names])
        text.flush()
    finally:
        # The stream is its owner's to close.
        text.detach()


def read_csv(stream: BinaryIO) -> SourceParts:
    """The memories of a CSV file with a header, whose columns have the names of fields.

    Raises InvalidInputError if the header names no content.
    """
    csv.field_size_limit(MAX_FIELD)
    text = TextIOWrapper(stream, "utf-8-sig", errors="surrogateescape", newline="")
    try:
        yield from _read_rows(csv.reader(text, strict=True))
    finally:
        # The stream is its owner's to close.
        text.detach()


def _read_rows(rows: Any) -> SourceParts:
    try:
        header: list[str] = next(rows, [])
    except csv.Error as error:
        raise InvalidInputError(f"the CSV file's header can't be read: {error}") from None
    if "content" not in header:
        raise InvalidInputError(
            "the CSV file has no column content",
            hint="Its first line names the columns, as an export does.",
        )
    yield from _rows(rows, header)


def fields_of(row: Mapping[str, Any]) -> dict[str, object]:
    """A row's fields without those that are empty, documents and numbers read from their text.

    Raises ValueError.
    """
    return {name: _value(name, value) for name, value in row.items() if value not in (None, "")}


def _rows(rows: Any, header: list[str]) -> Iterator[Item | Malformed]:
    while True:
        position = f"line {rows.line_num + 1}"
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Malformed(position, f"no CSV ({error})")
            continue
        if row:
            yield _read(position, header, row)


def _read(position: str, header: list[str], row: list[str]) -> Item | Malformed:
    if len(row) != len(header):
        return Malformed(position, f"{len(row)} fields instead of {len(header)}")
    if any(_is_broken(cell) for cell in row):
        return Malformed(position, "no UTF-8")
    try:
        return Item(position, fields_of(dict(zip(header, row, strict=True))))
    except ValueError as error:
        return Malformed(position, str(error))


def _is_broken(cell: str) -> bool:
    return (
        any("\udc80" <= character <= "\udcff" for character in cell)
        if not cell.isascii()
        else False
    )


def _cell(name: str, value: object) -> object:
    if value is None:
        return ""
    return as_json(value) if name in DOCUMENTS else plain_text(value)


def _value(name: str, value: Any) -> object:
    if isinstance(value, str) and name in DOCUMENTS:
        try:
            return parsed(value)
        except ValueError as error:
            raise ValueError(f"{name} is no JSON ({error})") from None
    if isinstance(value, str) and name in (*NUMBERS, *WHOLE_NUMBERS):
        try:
            return float(value) if name in NUMBERS else int(value)
        except ValueError:
            raise ValueError(f"{name} must be a number, not {value[:40]!r}") from None
    return value
