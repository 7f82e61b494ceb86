"""LoCoMo (Maharana et al. 2024, snap-research/locomo, CC BY-NC 4.0) as conversations.

Reads both forms: one `NUMBER.json` per conversation, and the published `locomo10.json`, a list
whose entries hold the sessions under `conversation`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.conversations import Conversation, Question, Turn

CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop"}
"""The adversarial category, 5, has no answer in the conversation and is left out."""

_EVIDENCE = re.compile(r"D\d+:\d+")
_SESSION = re.compile(r"session_(\d+)")

Json = Mapping[str, Any]


def load(directory: Path) -> tuple[Conversation, ...]:
    """Every conversation of the directory's JSON files, by name.

    FileNotFoundError if there is none.
    """
    found = [parse_conversation(name, raw) for name, raw in _read(directory)]
    if not found:
        raise FileNotFoundError(f"no LoCoMo conversation in {directory}")
    return tuple(sorted(found, key=lambda conversation: conversation.name))


def parse_conversation(name: str, raw: Json) -> Conversation:
    turns = tuple(_turns(raw.get("conversation", raw)))
    questions = tuple(_questions(raw["qa"], {turn.id for turn in turns}))
    return Conversation(name, turns, questions)


def parse_evidence(strings: Iterable[str], known: set[str]) -> tuple[str, ...]:
    """The turn ids that the strings name (some hold several), each once, unknown ones dropped."""
    named = (id_ for string in strings for id_ in _EVIDENCE.findall(string))
    return tuple(dict.fromkeys(id_ for id_ in named if id_ in known))


def parse_time(text: str) -> datetime:
    """`1:56 pm on 8 May, 2023`, taken as UTC."""
    return datetime.strptime(text, "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)


def _read(directory: Path) -> Iterator[tuple[str, Json]]:
    for path in sorted(directory.glob("*.json")):
        raw = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(raw, list):
            yield from ((entry["sample_id"], entry) for entry in raw)
        else:
            yield f"conv-{path.stem}", raw


def _turns(raw: Json) -> Iterator[Turn]:
    numbers = sorted(int(match[1]) for match in map(_SESSION.fullmatch, raw) if match)
    for number in numbers:
        session = f"session_{number}"
        said_at = parse_time(raw[f"{session}_date_time"])
        for turn in raw[session]:
            yield Turn(turn["dia_id"], session, _content(turn), said_at)


def _content(turn: Json) -> str:
    caption = turn.get("blip_caption")
    shared = f" [shares {caption}]" if caption else ""
    return f"{turn['speaker']}: {turn['text']}{shared}"


def _questions(raw: Iterable[Json], known: set[str]) -> Iterator[Question]:
    for entry in raw:
        evidence = parse_evidence(entry.get("evidence") or (), known)
        if evidence and entry["category"] in CATEGORIES:
            yield Question(entry["question"], CATEGORIES[entry["category"]], evidence)
