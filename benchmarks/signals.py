"""What the database computes of every memory for every question, to fit the weights to."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib import resources
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import psycopg
from rich.console import Console
from rich.progress import track

from benchmarks.conversations import Conversation, Question
from benchmarks.memories import Target, remember_sessions
from benchmarks.scoring import rank_sessions
from benchmarks.statements import statement
from pgrecall import Memory
from pgrecall.domain.identity import organization_uuid
from pgrecall.sql.adapters import RealArray, adapters

Numbers: TypeAlias = npt.NDArray[np.float32]
Places: TypeAlias = npt.NDArray[np.int64]
Writer: TypeAlias = "Callable[[Memory, Conversation], Mapping[str, str]]"
"""Writes a conversation; the turn id of each memory id."""

_SOURCE = resources.files("pgrecall") / "sql" / "source"
_DECLARED = tomllib.loads((_SOURCE / "signals.toml").read_text("utf-8"))["signal"]
SIGNALS = tuple(each["name"] for each in _DECLARED)
"""In the order of their declaration."""


@dataclass(frozen=True)
class Asked:
    """One question, and what there is to find: rows are memories in the order they were said in.

    `signals`: (memories, len(SIGNALS)), each 0..1. `evidence`: rows that answer it. `starts`: the
    first row of each session. `wanted`: the numbers of the sessions that answer it.
    """

    signals: Numbers
    evidence: Places
    starts: Places
    wanted: Places


def ask(
    target: Target, conversations: Sequence[Conversation], write: Writer = remember_sessions
) -> Iterator[list[Asked]]:
    """Writes each conversation and asks its questions, as the schema's owner."""
    console = Console(stderr=True)
    with psycopg.connect(target.database.dsn, context=adapters(), autocommit=True) as owner:
        for conversation in track(conversations, target.set_name, console=console, transient=True):
            with target.open(conversation.name) as memory:
                turn_of = write(memory, conversation)
            yield [
                _asked(target, owner, conversation, question, turn_of)
                for question in conversation.questions
            ]


def digest() -> str:
    """Of all that the signals are computed by, which their weights are no part of."""
    signals = [{**each, "weight": None} for each in _DECLARED]
    files = sorted(each.name for each in _SOURCE.iterdir() if each.name.endswith(".sql"))
    texts = [(_SOURCE / name).read_text("utf-8") for name in files]
    return sha256(repr((signals, texts)).encode()).hexdigest()[:12]


def built_in_weights(dsn: str) -> Numbers:
    """The schema's, in the order of SIGNALS."""
    with psycopg.connect(dsn) as owner:
        row = owner.execute(statement("weights"), {"names": list(SIGNALS)}).fetchone()
    assert row is not None
    return np.array(row[0], dtype=np.float32)


def _asked(
    target: Target,
    owner: psycopg.Connection[Any],
    conversation: Conversation,
    question: Question,
    turn_of: Mapping[str, str],
) -> Asked:
    rows = owner.execute(
        statement("signals"),
        {
            "organization_id": organization_uuid(
                f"{target.set_name}{target.database.suffix}-{conversation.name}"
            ),
            "query": question.text,
            "query_embedding": RealArray(target.embedder.embed_query(question.text))
            if target.with_meaning
            else None,
            "model": target.embedder.model,
            "asked_at": question.asked_at or datetime.now(UTC),
            "names": list(SIGNALS),
        },
    ).fetchall()
    signals = {turn_of[str(id_)]: values for id_, values in rows}
    turns = list(conversation.session_of)
    sessions = list(conversation.session_of.values())
    starts = [row for row, name in enumerate(sessions) if row == 0 or name != sessions[row - 1]]
    names = [sessions[start] for start in starts]
    wanted = question.sessions or rank_sessions(question.evidence, conversation.session_of)
    # A turn that says again what was said is no memory of its own, and is not found.
    nothing = [0.0] * len(SIGNALS)
    return Asked(
        np.array([signals.get(turn, nothing) for turn in turns], dtype=np.float32),
        np.array([turns.index(turn) for turn in dict.fromkeys(question.evidence)]),
        np.array(starts),
        np.array([names.index(name) for name in dict.fromkeys(wanted)]),
    )
