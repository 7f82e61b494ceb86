"""BEAM (Tavakoli et al. 2025, mohammadtavakoli78/BEAM) as conversations.

One folder per conversation, with `chat.json` and `probing_questions.json`. Each message is one
memory in its turn's context. The abilities that no single message answers are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.conversations import Conversation, Question, Turn

LEFT_OUT = {"abstention", "summarization", "event_ordering"}

_MARKER = re.compile(r"\s*->->.*$", re.DOTALL)
_UNTOLD = datetime(2024, 1, 1, tzinfo=UTC)

Json = Mapping[str, Any]


def load(directory: Path) -> tuple[Conversation, ...]:
    """Every conversation of the directory, by number; FileNotFoundError if there is none."""
    folders = sorted(
        (path.parent for path in directory.glob("*/chat.json")), key=lambda folder: folder.name
    )
    if not folders:
        raise FileNotFoundError(f"no BEAM conversation in {directory}")
    return tuple(_conversation(folder) for folder in folders)


def _conversation(folder: Path) -> Conversation:
    turns = tuple(parse_turns(json.loads((folder / "chat.json").read_text(encoding="utf-8"))))
    asked = json.loads((folder / "probing_questions.json").read_text(encoding="utf-8"))
    return Conversation(folder.name, turns, tuple(_questions(asked, {turn.id for turn in turns})))


def parse_turns(batches: Iterable[Json]) -> Iterator[Turn]:
    """The messages in order; one without a time has that of the last one that had."""
    said_at = _UNTOLD
    for batch_number, batch in enumerate(batches):
        for turn_number, messages in enumerate(batch["turns"]):
            for message in messages:
                said_at = _time(message.get("time_anchor")) or said_at
                content = _MARKER.sub("", message["content"])
                if content.strip():
                    session = f"{batch_number}-{turn_number}"
                    yield Turn(str(message["id"]), session, content, said_at, message["role"])


def flatten(evidence: Any) -> Iterator[str]:
    """The message ids, which stand bare, in lists or in lists by name."""
    if isinstance(evidence, Mapping):
        evidence = list(evidence.values())
    if isinstance(evidence, list):
        for part in evidence:
            yield from flatten(part)
    elif evidence is not None:
        yield str(evidence)


def _questions(abilities: Json, known: set[str]) -> Iterator[Question]:
    for ability, entries in abilities.items():
        for entry in entries if ability not in LEFT_OUT else ():
            named = dict.fromkeys(flatten(entry.get("source_chat_ids")))
            evidence = tuple(id_ for id_ in named if id_ in known)
            if evidence:
                yield Question(entry["question"], ability, evidence)


def _time(anchor: str | None) -> datetime | None:
    """`March-15-2024`, taken as UTC; None for anything else."""
    try:
        return datetime.strptime(anchor or "", "%B-%d-%Y").replace(tzinfo=UTC)
    except ValueError:
        return None
