"""The source that is meant, found out and opened."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pgrecall.errors import InvalidInputError
from pgrecall.ops.transfer.columns import read_csv
from pgrecall.ops.transfer.items import Reading
from pgrecall.ops.transfer.json_lines import read_json_lines
from pgrecall.ops.transfer.parquet import read_parquet

_READERS: dict[str, Callable[[BinaryIO], Reading]] = {
    "pgrecall": read_json_lines,
    "csv": read_csv,
    "parquet": read_parquet,
}
SOURCES = (*_READERS,)


@dataclass(frozen=True, slots=True)
class Source:
    """An open source: in words, its items, and how much of it has been read, of how much.

    `progress` gives bytes if `is_bytes`, else items; None where nobody knows how many there are.
    """

    name: str
    items: Reading
    is_bytes: bool
    progress: Callable[[], tuple[int, int | None]]


@contextmanager
def opened_source(file: str, source: str) -> Iterator[Source]:
    """The source of a path, or - for standard input; `auto` looks at what is in it.

    Raises InvalidInputError.
    """
    if file == "-":
        yield _source(sys.stdin.buffer, "standard input", source, None)
        return
    path = Path(file)
    try:
        stream = path.open("rb")
    except OSError as error:
        raise InvalidInputError(f"{file}: {error.strerror}") from None
    with stream:
        yield _source(stream, path.name, source, path.stat().st_size)


def _source(stream: BinaryIO, name: str, source: str, size: int | None) -> Source:
    kind = _guessed(name, stream) if source == "auto" else source
    if kind not in _READERS:
        raise InvalidInputError(f"--from must be one of {', '.join(SOURCES)}, not {source!r}")
    read = _READERS[kind](stream)
    position = stream.tell if size is not None else lambda: 0
    return Source(f"{name}, as {kind}", read, size is not None, lambda: (position(), size))


def _guessed(name: str, stream: BinaryIO) -> str:
    return {".csv": "csv", ".parquet": "parquet"}.get(Path(name).suffix.lower(), "pgrecall")
