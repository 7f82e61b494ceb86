"""A line of the block for a prompt: a memory with its id, its day and where it is from.

    - [memory 01a206654788701cb728d48377f463ea, 2026-03-01, fact from user] Maria is vegetarian.

The id is whole, since a shorter one could stand for two memories, or for another one tomorrow;
without its dashes every client takes it all the same. What a memory says is data: it stays on its
line, and can begin neither a tag, whosever tag that may be, nor another line's bracket.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from pgrecall.domain.hit import Hit, Neighbour
from pgrecall.domain.marks import LINE

MAX_SPEAKER_CHARACTERS = 60
MAX_DATES = 3

# Controls, marks that turn the direction of text, and characters that carry text unseen.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)
_BRACKET = re.compile(r"\[(?=\W*memory\b)", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?。！？\n]+")
_NO_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Line:
    """A memory as it stands in a block. `sentences` are what it says, bare of how it is written.

    `is_turn` says that it is a message of a conversation, which stays as it was said.
    """

    id: UUID
    occurred_at: datetime
    dates: tuple[str, ...]
    origin: str
    content: str
    whose: tuple[str | None, ...]
    sentences: frozenset[str]
    is_turn: bool

    def is_told_by(self, other: Line) -> bool:
        """Whether it can go, since the other one says all of it for the same person."""
        return not self.is_turn and self.whose == other.whose and self.sentences <= other.sentences

    def __str__(self) -> str:
        dates = " and ".join(self.dates)
        return f"- {LINE}{self.id.hex}, {dates}, {self.origin}] {self.content}"


def line_of_hit(hit: Hit, *, names_user: bool) -> Line:
    """The line of a hit; with whom it is about, if `names_user`."""
    origin = [_origin(hit.kind, hit.content, hit.speaker, hit.trust)]
    if names_user and hit.user_id is not None:
        origin.append(f"about {_name(hit.user_id)}")
    if hit.valid_to is not None:
        origin.append(f"true from {day(hit.valid_from)} to {day(hit.valid_to)}")
    elif day(hit.valid_from) != day(hit.occurred_at):
        origin.append(f"true since {day(hit.valid_from)}")
    is_turn = hit.kind == "message" and hit.context_key is not None
    return _line(hit, ", ".join(origin), is_turn)


def line_of_neighbour(neighbour: Neighbour, *, names_user: bool) -> Line:
    """The line of a message beside a hit."""
    origin = _origin("message", neighbour.content, neighbour.speaker, neighbour.trust)
    about = f", about {_name(neighbour.user_id)}" if names_user and neighbour.user_id else ""
    return _line(neighbour, origin + about, is_turn=True)


def day(at: datetime) -> str:
    """The day in UTC, such as `2026-03-01`."""
    return at.astimezone(UTC).date().isoformat()


def harmless(text: str) -> str:
    """The text on one line, without what could pass for a mark or a tag."""
    seen = _UNSEEN.sub("", " ".join(text.split()))
    return _BRACKET.sub("(", seen.replace("<", "&lt;"))


def sentences(text: str) -> frozenset[str]:
    """The sentences of a text without regard to case, width, punctuation and white space."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    words = (_NO_WORD.sub(" ", part).strip() for part in _SENTENCE_END.split(plain))
    return frozenset(filter(None, words)) or frozenset([plain.strip()])


def _line(said: Hit | Neighbour, origin: str, is_turn: bool) -> Line:
    spoken = said.content.removeprefix(f"{said.speaker}:") if said.speaker else said.content
    return Line(
        id=said.id,
        occurred_at=said.occurred_at,
        dates=(day(said.occurred_at),),
        origin=origin,
        content=harmless(said.content),
        whose=(said.user_id, said.speaker, said.trust),
        sentences=sentences(spoken),
        is_turn=is_turn,
    )


def _origin(kind: str, content: str, speaker: str | None, trust: str) -> str:
    if speaker is None:
        return f"{kind} {'by' if kind == 'message' else 'from'} {trust}"
    by = "" if content.startswith(f"{speaker}:") else f" by {_name(speaker)}"
    return f"{kind}{by}" if trust == "user" else f"{kind}{by} ({trust})"


def _name(text: str) -> str:
    plain = harmless(text).translate({ord("["): "(", ord("]"): ")"})
    return plain[:MAX_SPEAKER_CHARACTERS]
