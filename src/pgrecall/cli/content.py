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
    """One text as it is, several of anything as a list. Raises InvalidInputError."""
    if (file is None) == (not texts):
        raise InvalidInputError("give either texts, or - for standard input, or --file")
    if file is not None:
        with file.open("rb") as stream:
            return [_item(file.name, number, line) for number, line in _lines(file.name, stream)]
    assert texts is not None
    if texts == ["-"]:
        return [line for _, line in _lines("standard input", sys.stdin.buffer)]
    return texts[0] if len(texts) == 1 else texts


def _lines(name: str, stream: BinaryIO) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, with their numbers from 1."""
    for number, raw in enumerate(stream, 1):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError as error:
            raise InvalidInputError(f"{name}, line {number}: no UTF-8 ({error.reason})") from None
        if line:
            yield number, line


def _item(name: str, number: int, line: str) -> Item:
    """A line of a file, checked here, where its number is known."""
    try:
        item: Item = json.loads(line)
        drafts([item], DraftDefaults())
    except json.JSONDecodeError as error:
        raise InvalidInputError(f"{name}, line {number}: no JSON ({error})") from None
    except InvalidInputError as error:
        raise type(error)(f"{name}, line {number}: {error.message}", hint=error.hint) from None
    return item
