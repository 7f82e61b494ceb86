"""JSON of strangers, read so that two readers can't disagree about it."""

from __future__ import annotations

import json
import math
import re

from pgrecall.errors import AuthenticationError

MAX_DEPTH = 32

# PostgreSQL's jsonb takes neither, and every later statement under such claims would fail.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def strict_object(text: bytes) -> dict[str, object]:
    """The JSON object that a UTF-8 text is.

    Raises AuthenticationError for anything else, for a key that stands twice in one object,
    numbers that are not finite, NUL characters, lone surrogates, and nesting beyond MAX_DEPTH.
    """
    try:
        value = json.loads(
            text.decode(),
            object_pairs_hook=_without_repetition,
            parse_constant=_finite,
            parse_float=_finite,
        )
    except (ValueError, RecursionError):
        raise AuthenticationError("malformed JSON") from None
    if not isinstance(value, dict):
        raise AuthenticationError("the JSON is not an object")
    _check(value)
    return value


def _without_repetition(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise AuthenticationError("a JSON key stands twice")
    return found


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise AuthenticationError("a JSON number is not finite")
    return value


def _check(value: object) -> None:
    waiting: list[tuple[object, int]] = [(value, 1)]
    while waiting:
        each, depth = waiting.pop()
        if isinstance(each, str) and _UNSTORABLE.search(each):
            raise AuthenticationError("a JSON text holds NUL or a lone surrogate")
        if isinstance(each, (dict, list)):
            if depth > MAX_DEPTH:
                raise AuthenticationError("the JSON is nested too deeply")
            parts = [*each, *each.values()] if isinstance(each, dict) else each
            waiting.extend((part, depth + 1) for part in parts)
