"""What the demo tells: conversations of six evenings, facts that change, and five questions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources

from pgrecall.domain.times import moment

_TURN = timedelta(seconds=75)


@dataclass(frozen=True, slots=True)
class Session:
    """One conversation: its messages as `Memory.remember` takes them."""

    context: str
    began_at: datetime
    messages: tuple[dict[str, object], ...]


@dataclass(frozen=True, slots=True)
class SlotValue:
    """A value that a slot has from a time on, told in a conversation.

    `key` makes it the same in every run.
    """

    key: str
    slot: str
    kind: str
    content: str
    context: str
    valid_from: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question, what its answer shows, and the filters that go with it."""

    query: str
    shows: str
    since: str | None = None
    until: str | None = None
    as_of: str | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """All of it; `changing` is the slot whose values are shown over time."""

    agent: str
    user: str
    sessions: tuple[Session, ...]
    slots: tuple[SlotValue, ...]
    questions: tuple[Question, ...]
    changing: str

    @property
    def turns(self) -> int:
        """How many messages all conversations have."""
        return sum(len(session.messages) for session in self.sessions)


def read_story() -> Story:
    """The story that ships with pgrecall."""
    file = resources.files(__package__) / "demo_conversation.json"
    document = json.loads(file.read_text("utf-8"))
    return Story(
        agent=document["agent"],
        user=document["user"],
        sessions=tuple(_session(each) for each in document["sessions"]),
        slots=tuple(
            SlotValue(f"demo/{place}", **each) for place, each in enumerate(document["slots"], 1)
        ),
        questions=tuple(Question(**each) for each in document["questions"]),
        changing=document["changing"],
    )


def _session(document: dict[str, object]) -> Session:
    begins, turns = moment("begins", document["begins"]), document["turns"]
    assert isinstance(begins, datetime)
    assert isinstance(turns, list)
    messages = [_message(begins + place * _TURN, *turn) for place, turn in enumerate(turns)]
    return Session(str(document["context"]), begins, tuple(messages))


def _message(said_at: datetime, name: str, text: str) -> dict[str, object]:
    role = "assistant" if name == "Atlas" else "user"
    return {"role": role, "name": name, "content": f"{name}: {text}", "created_at": said_at}
