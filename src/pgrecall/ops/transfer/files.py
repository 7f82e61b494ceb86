"""Files of memories: JSON Lines, CSV and Parquet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias, get_args

from pgrecall.errors import InvalidInputError

Format: TypeAlias = Literal["jsonl", "csv", "parquet"]
FORMATS: tuple[str, ...] = get_args(Format)

Record: TypeAlias = "Mapping[str, Any]"


def write_json_lines(stream: BinaryIO, records: Iterable[Record]) -> None:
    """One JSON object a line; times in ISO 8601 with their zone."""
    for record in records:
        stream.write(as_json(record).encode() + b"\n")


def as_json(value: object) -> str:
    """A value as JSON in one line."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=plain_text)


def plain_text(value: object) -> str:
    """A field that is no document as text; a time in ISO 8601."""
    return value.isoformat() if isinstance(value, datetime) else str(value)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that is there when it is whole, and not at all or as before after an error.

    Only its owner may read it. Raises InvalidInputError if it can't be written.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with unfinished.open("wb") as stream:
            unfinished.chmod(0o600)
            yield stream
        unfinished.replace(path)
    except OSError as error:
        raise InvalidInputError(f"{error.filename or path}: {error.strerror}") from None
    finally:
        unfinished.unlink(missing_ok=True)


def counted(
    records: Iterable[Record], on_progress: Callable[[int], None], every: int = 100
) -> Iterator[Record]:
    """The records as they are; `on_progress` hears now and then how many there were."""
    done = 0
    for record in records:
        yield record
        done += 1
        if done % every == 0:
            on_progress(done)
    on_progress(done)
