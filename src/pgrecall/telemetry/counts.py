"""What the answer of an operation adds to the counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from pgrecall.domain.erasure import Receipt
from pgrecall.domain.remembered import Remembered
from pgrecall.domain.scope import Forgotten
from pgrecall.recall.result import Recall

_BY_STATUS: dict[str, Mapping[str, int]] = {
    "added": {"added": 1},
    "duplicate": {"duplicates": 1},
    "superseded": {"added": 1, "superseded": 1},
    "rejected": {},
}
_RECALL = {"recalls": 1}
_EMPTY_RECALL = {"recalls": 1, "empty_recalls": 1}
_UPDATE = {"updated": 1}
_SCOPED = {"forget": "forgotten", "erase": "erased"}
_NOTHING: Mapping[str, int] = {}


def counts_of(operation: str, answer: object) -> Mapping[str, int]:
    """The counts, by name, that an operation with this answer adds to."""
    if isinstance(answer, Recall):
        return _RECALL if answer.hits else _EMPTY_RECALL
    if isinstance(answer, Remembered):
        return _remembered(answer)
    if operation == "update":
        return _UPDATE
    if isinstance(answer, Receipt) and set(answer.scope or ()) == {"agent_id"}:
        # Its statistics went with it.
        return _NOTHING
    if isinstance(answer, (Forgotten, Receipt)) and operation in _SCOPED and not answer.dry_run:
        return {_SCOPED[operation]: answer.memories}
    return _NOTHING


def _remembered(answer: Remembered) -> Mapping[str, int]:
    if len(answer.items) == 1:
        return _BY_STATUS[answer.items[0].status]
    found = Counter[str]()
    for status, count in Counter(item.status for item in answer.items).items():
        for name in _BY_STATUS[status]:
            found[name] += count
    return found
