"""What is measured of each system, by turns with pgrecall, so that a slow moment falls on both.

The corpus is written first, a session a call, and searched; later writes go to scopes of their own,
so that they are not in what is searched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from statistics import fmean, median

from benchmarks.conversations import Conversation, Question, Turn
from benchmarks.peers.side import Side
from benchmarks.scoring import recall_at
from benchmarks.timing import Times, summarize

SINGLE = "single writes"
SESSION = "a session a call"
WHOLE = "a conversation a call"
SEARCH = "search"
LIMIT = 10
BLOCK = 20
"""Single writes before it is the next system's turn."""
WARM_UP = 5

Message = dict[str, str]


@dataclass(frozen=True)
class Block:
    """One turn of one system: so many memories, or questions, in so many seconds."""

    count: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.count / self.seconds


@dataclass
class Tally:
    """By work and system: blocks in the order of the turns, and each question's recall@10."""

    blocks: defaultdict[str, defaultdict[str, list[Block]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    recalls: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def rate(self, work: str, name: str) -> float:
        """All that was written by all the time it took, per second."""
        blocks = self.blocks[work][name]
        return sum(block.count for block in blocks) / sum(block.seconds for block in blocks)

    def times(self, name: str) -> Times:
        return summarize([1000 * block.seconds for block in self.blocks[SEARCH][name]])

    def recall(self, name: str) -> float:
        return fmean(self.recalls[name])

    def ratio(self, work: str, ours: str, peer: str) -> float:
        """How many times as fast: the median over the pairs of blocks of one turn."""
        return median_ratio(self.blocks[work][ours], self.blocks[work][peer])


def median_ratio(ours: Sequence[Block], theirs: Sequence[Block]) -> float:
    pairs = zip(ours, theirs, strict=True)
    return median(one.rate / other.rate for one, other in pairs)


def compare(
    sides: Sequence[Side],
    conversations: Sequence[Conversation],
    analyze: Callable[[], None],
    singles: int,
) -> Tally:
    """Everything, in the order that keeps what is searched free of what is written for its rate."""
    tally = Tally()
    for conversation in conversations:
        _write_sessions(sides, conversation, tally)
    analyze()
    for conversation in conversations:
        _search(sides, conversation, tally)
    for conversation in conversations:
        _write_whole(sides, conversation, tally)
    for conversation in conversations:
        _write_singly(sides, conversation, singles // len(conversations), tally)
    return tally


def message(turn: Turn) -> Message:
    return {
        "turn": turn.id,
        "session": turn.session,
        "role": turn.role,
        "content": turn.content,
        "said_at": turn.said_at.isoformat(),
    }


def blocks_of(messages: Sequence[Message], size: int) -> Iterator[list[Message]]:
    """So many at a time; a remainder is left out, since it would be a shorter block."""
    whole = len(messages) // size * size
    return (list(messages[start : start + size]) for start in range(0, whole, size))


def _write_sessions(sides: Sequence[Side], conversation: Conversation, tally: Tally) -> None:
    _prepare(sides, conversation.name)
    for turn, (_, turns) in enumerate(conversation.sessions()):
        messages = [message(each) for each in turns]
        for side in rotated(sides, turn):
            seconds = side.write(conversation.name, messages)
            tally.blocks[SESSION][side.name].append(Block(len(messages), seconds))


def _write_whole(sides: Sequence[Side], conversation: Conversation, tally: Tally) -> None:
    scope = f"whole-{conversation.name}"
    _prepare(sides, scope)
    messages = [message(turn) for turn in conversation.turns]
    for side in rotated(sides, len(tally.blocks[WHOLE][sides[0].name])):
        seconds = side.write(scope, messages)
        tally.blocks[WHOLE][side.name].append(Block(len(messages), seconds))


def _write_singly(
    sides: Sequence[Side], conversation: Conversation, count: int, tally: Tally
) -> None:
    scope = f"single-{conversation.name}"
    _prepare(sides, scope)
    messages = [message(turn) for turn in islice(conversation.turns, count)]
    for turn, block in enumerate(blocks_of(messages, BLOCK)):
        for side in rotated(sides, turn):
            seconds = sum(side.write_each(scope, block))
            tally.blocks[SINGLE][side.name].append(Block(len(block), seconds))


def _search(sides: Sequence[Side], conversation: Conversation, tally: Tally) -> None:
    for question in conversation.questions[:WARM_UP]:
        for side in sides:
            side.search(conversation.name, question.text, LIMIT)
    for turn, question in enumerate(conversation.questions):
        for side in rotated(sides, turn):
            _ask(side, conversation.name, question, tally)


def _ask(side: Side, scope: str, question: Question, tally: Tally) -> None:
    found = side.search(scope, question.text, LIMIT)
    tally.blocks[SEARCH][side.name].append(Block(1, found.seconds))
    tally.recalls[side.name].append(recall_at(LIMIT, found.turns, question.evidence))


def _prepare(sides: Sequence[Side], scope: str) -> None:
    for side in sides:
        side.prepare(scope)


def rotated(sides: Sequence[Side], by: int) -> list[Side]:
    start = by % len(sides)
    return [*sides[start:], *sides[:start]]


def as_json(tally: Tally, ours: str, peers: Sequence[str]) -> Mapping[str, object]:
    names = [ours, *peers]
    writes = [SINGLE, SESSION, WHOLE]
    return {
        "writes_per_second": {w: {n: tally.rate(w, n) for n in names} for w in writes},
        "search_milliseconds": {n: vars(tally.times(n)) for n in names},
        "recall_at_10": {n: tally.recall(n) for n in names},
        "times_as_fast": {
            w: {peer: tally.ratio(w, ours, peer) for peer in peers} for w in [*writes, SEARCH]
        },
    }
