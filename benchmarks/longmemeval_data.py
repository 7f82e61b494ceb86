"""LongMemEval (Wu et al. 2025, xiaowu0162/LongMemEval, MIT) in haystack mode.

Each question has a conversation of its own: its evidence sessions and others from the file, 48 in
all. Which others is drawn at random, with the seed that is given. Questions that the set holds to
be unanswerable are left out.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.conversations import Conversation, Question, Turn

SESSIONS = 48
SEED = 7

Json = Mapping[str, Any]
Session = tuple[str, datetime, Sequence[Json]]
"""Its id, its time, and its messages."""


def load(directory: Path, seed: int = SEED) -> tuple[Conversation, ...]:
    """A conversation per question, from the directory's JSON files; FileNotFoundError if none."""
    entries = [entry for path in sorted(directory.glob("*.json")) for entry in _read(path)]
    if not entries:
        raise FileNotFoundError(f"no LongMemEval question in {directory}")
    pool: dict[str, Session] = {}
    for entry in entries:
        for session in _sessions(entry):
            pool.setdefault(session[0], session)
    answerable = (entry for entry in entries if not entry["question_id"].endswith("_abs"))
    return tuple(haystack(entry, pool, seed) for entry in answerable)


def haystack(entry: Json, pool: Mapping[str, Session], seed: int) -> Conversation:
    """The question with its evidence sessions and others from `pool`, in order of time."""
    evidence = list(dict.fromkeys(entry["answer_session_ids"]))
    own = {session[0]: session for session in _sessions(entry)}
    others = sorted(id_ for id_ in pool if id_ not in evidence)
    drawn = random.Random(seed).sample(others, min(SESSIONS - len(evidence), len(others)))
    chosen = [own.get(id_) or pool[id_] for id_ in evidence + drawn]
    chosen.sort(key=lambda session: (session[1], session[0]))
    turns = tuple(turn for session in chosen for turn in _turns(session))
    return Conversation(entry["question_id"], turns, (_question(entry, evidence, own, turns),))


def parse_time(text: str) -> datetime:
    """`2023/04/10 (Mon) 23:07`, taken as UTC."""
    plain = re.sub(r" \(\w+\)", "", text)
    return datetime.strptime(plain, "%Y/%m/%d %H:%M").replace(tzinfo=UTC)


def _read(path: Path) -> Iterator[Json]:
    yield from json.loads(path.read_text(encoding="utf-8"))


def _sessions(entry: Json) -> Iterator[Session]:
    times = map(parse_time, entry["haystack_dates"])
    yield from zip(entry["haystack_session_ids"], times, entry["haystack_sessions"], strict=True)


def _turns(session: Session) -> Iterator[Turn]:
    name, said_at, messages = session
    for number, message in enumerate(messages):
        if message["content"].strip():
            yield Turn(f"{name}:{number}", name, message["content"], said_at, message["role"])


def _question(
    entry: Json, evidence: Sequence[str], own: Mapping[str, Session], turns: Sequence[Turn]
) -> Question:
    """Evidence are the marked messages; where none is, all of the evidence sessions."""
    marked = [
        f"{id_}:{number}"
        for id_ in evidence
        for number, message in enumerate(own[id_][2])
        if message.get("has_answer")
    ]
    ids = marked or [turn.id for turn in turns if turn.session in evidence]
    asked_at = parse_time(entry["question_date"])
    return Question(
        entry["question"], entry["question_type"], tuple(ids), asked_at, tuple(evidence)
    )
