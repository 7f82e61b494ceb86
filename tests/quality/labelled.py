"""The labelled set, written for this project: who said what when, and what answers which question.

Three pairs talk (one of them a user with an assistant, one of them once in German) and some facts
stand alone. Ids are `SESSION.PLACE`; the facts' are `f.PLACE`. Some categories need a word:

  answer      the evidence answers the message before it, in other words than the question's
  opening     the evidence is the first of its session, or in none
  own words   the assistant repeats what the user said, and the user's message is the evidence
  advice      the evidence is what the user always wants
  topic       help is asked for, and the evidence is about the same thing in other words
  when        the question is when, and others say more of its words than the evidence
  latest      of several values of one thing, the evidence is the last
  important   of two that answer alike, the evidence is the more important one
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.conversations import Conversation, Question, Turn

ASSISTANT = "Juno"
FACTS = ""
"""The session of what was said in none."""


@dataclass(frozen=True)
class Labelled:
    """All of the set: `speakers` of messages and `importance` (0 to 1) of facts by turn id.

    Every question is asked at one time, so that no clock matters.
    """

    conversation: Conversation
    speakers: dict[str, str]
    importance: dict[str, float]
    asked_at: datetime

    @property
    def begins_at(self) -> datetime:
        return min(turn.said_at for turn in self.conversation.turns)


def load() -> Labelled:
    text = Path(__file__).with_name("labelled.json").read_text(encoding="utf-8")
    raw = json.loads(text)
    told = [turn for session in raw["sessions"] for turn in _turns(session)]
    facts = [Turn(id_, FACTS, content, _time(at)) for id_, at, content, _ in raw["facts"]]
    asked = [Question(text, kind, tuple(evidence)) for kind, text, evidence in raw["questions"]]
    return Labelled(
        Conversation("labelled", (*told, *facts), tuple(asked)),
        {id_: speaker for session in raw["sessions"] for id_, speaker, _ in session["turns"]},
        {id_: importance for id_, _, _, importance in raw["facts"]},
        _time(raw["asked_at"]),
    )


def _turns(session: dict[str, Any]) -> list[Turn]:
    """One message a minute."""
    begins = _time(session["begins"])
    return [
        Turn(id_, session["session"], content, begins + timedelta(minutes=minute), _role(speaker))
        for minute, (id_, speaker, content) in enumerate(session["turns"])
    ]


def _role(speaker: str) -> str:
    return "assistant" if speaker == ASSISTANT else "user"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
