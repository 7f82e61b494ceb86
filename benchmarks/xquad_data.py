"""XQuAD (google-deepmind/xquad, CC BY-SA 4.0): paragraphs as memories, questions in their language.

One conversation per language, named by its code, from `xquad.CODE.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.conversations import Conversation, Question, Turn

_SAID_AT = datetime(2020, 1, 1, tzinfo=UTC)


def load(directory: Path) -> tuple[Conversation, ...]:
    """A conversation per language; FileNotFoundError if there is none."""
    found = tuple(
        parse_language(path.suffixes[0][1:], json.loads(path.read_text(encoding="utf-8")))
        for path in sorted(directory.glob("xquad.*.json"))
    )
    if not found:
        raise FileNotFoundError(f"no XQuAD language in {directory}")
    return found


def parse_language(code: str, raw: Mapping[str, Any]) -> Conversation:
    """Every paragraph is a document of its own; its questions have it as their evidence."""
    paragraphs = [part for article in raw["data"] for part in article["paragraphs"]]
    turns = tuple(
        Turn(str(number), str(number), paragraph["context"], _SAID_AT)
        for number, paragraph in enumerate(paragraphs)
    )
    return Conversation(code, turns, tuple(_questions(code, paragraphs)))


def _questions(code: str, paragraphs: list[Mapping[str, Any]]) -> Iterator[Question]:
    for number, paragraph in enumerate(paragraphs):
        for asked in paragraph["qas"]:
            yield Question(asked["question"], code, (str(number),))
