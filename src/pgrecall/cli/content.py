"""What is to be remembered, from arguments, standard input or a file."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pgrecall.domain.draft import Content, DraftDefaults, Item, drafts
from pgrecall.errors import InvalidInputError


def content_of(texts: list[str] | None, file: Path | None) -> Content:
    """One text as it is, several of anything as a list, in which a line that can't be read is an
    error in its place. Raises InvalidInputError.
    """
    if (file is None) == (not texts):
        raise InvalidInputError("give either texts, or - for standard input, or --file")
    if file is not None:
        with file.open("rb") as stream:
            return [_item(where, line) for where, line in _lines(file.name, stream)]
    assert texts is not None
    if texts == ["-"]:
        return [line for _, line in _lines("standard input", sys.stdin.buffer)]
    return texts[0] if len(texts) == 1 else texts


def _lines(name: str, stream: BinaryIO) -> Iterator[tuple[str, str | InvalidInputError]]:
    """The lines that are not blank, with where they stand."""
    for number, raw in enumerate(stream, 1):
        where = f"{name}, line {number}"
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError as error:
            yield where, _unreadable(f"{where}: no UTF-8 ({error.reason})")
        else:
            if line:
                yield where, line


def _item(where: str, line: str | InvalidInputError) -> Item:
    """A line of a file, checked here, where its number is known."""
    if isinstance(line, InvalidInputError):
        return line
    try:
        item: Item = json.loads(line)
    except json.JSONDecodeError as error:
        return _unreadable(f"{where}: no JSON ({error})")
    [draft] = drafts([item], DraftDefaults())
    if isinstance(draft, InvalidInputError):
        return InvalidInputError(
            f"{where}: {draft.message}", hint=draft.hint, item_code=draft.item_code
        )
    return item


def _unreadable(message: str) -> InvalidInputError:
    return InvalidInputError(message, item_code="invalid_item")
