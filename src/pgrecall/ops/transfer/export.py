"""Memories to a file or a stream, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from pgrecall.errors import InvalidInputError
from pgrecall.ops.transfer.columns import write_csv
from pgrecall.ops.transfer.files import (
    FORMATS,
    Record,
    counted,
    whole_file,
    write_json_lines,
)
from pgrecall.ops.transfer.parquet import write_parquet


def format_of(file: str, given: str | None) -> str:
    """The format that is given, else that of the file's name, else jsonl.

    Raises InvalidInputError for an unknown one.
    """
    if given is None:
        ending = Path(file).suffix.removeprefix(".").lower()
        return ending if ending in FORMATS else "jsonl"
    if given not in FORMATS:
        raise InvalidInputError(f"the format must be one of {', '.join(FORMATS)}, not {given!r}")
    return given


def export_to(
    target: Path | BinaryIO,
    file_format: str,
    records: Iterable[Record],
    *,
    with_history: bool = False,
    on_progress: Callable[[int, int | None], None] | None = None,
) -> int:
    """Write the records of `Transfer.export`, and return how many they were.

    A path's file is there only when it is whole. Needs the same memory for few records and many.
    Raises InvalidInputError, MissingExtraError for parquet without its extra.
    """
    if isinstance(target, Path):
        with whole_file(target) as stream:
            return export_to(
                stream,
                file_format,
                records,
                with_history=with_history,
                on_progress=on_progress,
            )
    total = 0

    def hear(done: int) -> None:
        nonlocal total
        total = done
        if on_progress is not None:
            on_progress(done, None)

    passing = counted(records, hear)
    if file_format == "jsonl":
        write_json_lines(target, passing)
    elif file_format == "csv":
        write_csv(target, passing, with_history=with_history)
    else:
        write_parquet(target, passing, with_history=with_history)
    return total
