"""Hits to make blocks of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from pgrecall.domain.hit import Hit, Neighbour, Signals

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def make_hit(content: str, day: int = 0, **fields: Any) -> Hit:
    """A fact of that text, told so many days after the first of March."""
    at = NOON + timedelta(days=day)
    made = Hit(
        id=uuid4(),
        content=content,
        kind="fact",
        user_id=None,
        agent_id="default",
        context_key=None,
        metadata={},
        trust="user",
        occurred_at=at,
        valid_from=at,
        valid_to=None,
        created_at=at,
        score=0.5,
        signals=Signals(None, 1.0, 1.0, 0.5),
    )
    return replace(made, **fields)


def make_message(content: str, speaker: str | None = None, day: int = 0, **fields: Any) -> Hit:
    """The same as a message of somebody's."""
    return make_hit(content, day, **{"kind": "message", "speaker": speaker, **fields})


def beside(hit: Hit) -> Neighbour:
    """A message as another one's neighbour."""
    return Neighbour(hit.id, hit.content, hit.speaker, hit.trust, hit.user_id, hit.occurred_at)


def make_exchange(*said: tuple[str, str], day: int = 0) -> list[Hit]:
    """Messages (speaker, text) that follow one another, each with its neighbours."""
    made = [
        make_message(
            text,
            speaker,
            trust="assistant" if speaker == "Bot" else "user",
            context_key="talk",
            occurred_at=NOON + timedelta(days=day, minutes=minute),
            valid_from=NOON + timedelta(days=day, minutes=minute),
        )
        for minute, (speaker, text) in enumerate(said)
    ]
    return [
        replace(
            hit,
            before=beside(made[place - 1]) if place else None,
            after=beside(made[place + 1]) if place + 1 < len(made) else None,
        )
        for place, hit in enumerate(made)
    ]
