"""JSON Lines: one memory a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import BinaryIO, NoReturn

from pgrecall.ops.transfer.items import Item, Malformed, SourceParts

# A memory of 1,000,000 characters with a history fits in; a file without lines does not.
MAX_LINE_BYTES = 64 * 1024 * 1024


def read_json_lines(stream: BinaryIO) -> SourceParts:
    """The memories of a file of JSON objects, one a line; blank lines are passed over."""
    for number, line in lines(stream):
        position = f"line {number}"
        if line is None:
            yield Malformed(position, "it has more than 64 MiB")
        elif line.strip():
            yield _read(position, line)


def parsed(text: bytes | str) -> object:
    """A JSON document. Raises ValueError, for what Python takes and JSON doesn't, too."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _read(position: str, line: bytes) -> Item | Malformed:
    try:
        found = parsed(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return Malformed(position, f"no UTF-8 ({error.reason})")
    except ValueError as error:
        return Malformed(position, f"no JSON ({error})")
    if not isinstance(found, Mapping):
        return Malformed(position, "no JSON object")
    return Item(position, found)


def lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """The lines with their numbers from 1; None for one that is too long."""
    number = 0
    while line := stream.readline(MAX_LINE_BYTES):
        number += 1
        if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
            while (rest := stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
            yield number, None
        else:
            yield number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
