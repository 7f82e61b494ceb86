"""How fast conversations are written when their vectors are there already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from benchmarks.conversations import Conversation, Turn
from benchmarks.memories import Target, message
from benchmarks.timing import Rate, time_writes
from pgrecall import Memory

Writes = list[Callable[[], object]]


def measure_rates(target: Target, conversations: Sequence[Conversation]) -> dict[str, Rate]:
    """The rate of each way of writing, over all conversations, each in a new organization."""
    ways = {
        "one remember per conversation": _by_conversation,
        "one remember per session": _by_session,
        "one remember per message": _by_message,
    }
    return {name: _rate(target, way, conversations) for name, way in ways.items()}


def _rate(
    target: Target,
    way: Callable[[Memory, Conversation], Writes],
    conversations: Iterable[Conversation],
) -> Rate:
    rates = []
    misses = target.embedder.misses
    for conversation in conversations:
        with target.open(f"{conversation.name}{way.__name__}") as memory:
            rates.append(time_writes(way(memory, conversation), len(conversation.turns)))
    if target.embedder.misses > misses:
        raise RuntimeError("vectors were computed while writes were timed")
    return Rate(sum(rate.memories for rate in rates), sum(rate.seconds for rate in rates))


def _by_conversation(memory: Memory, conversation: Conversation) -> Writes:
    return [partial(_remember, memory, conversation.turns, conversation.name)]


def _by_session(memory: Memory, conversation: Conversation) -> Writes:
    return [partial(_remember, memory, turns, name) for name, turns in conversation.sessions()]


def _by_message(memory: Memory, conversation: Conversation) -> Writes:
    return [
        partial(memory.remember, message(turn), context=turn.session) for turn in conversation.turns
    ]


def _remember(memory: Memory, turns: Sequence[Turn], context: str) -> object:
    return memory.remember([message(turn) for turn in turns], context=context)
