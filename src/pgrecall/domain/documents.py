"""Metadata: JSON documents of a size and shape that every client can read back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TypeAlias

from pgrecall.domain.text import clean_text
from pgrecall.errors import InvalidInputError, LimitExceededError

MAX_BYTES = 65_536
MAX_LEVELS = 32
MAX_NUMBER = 10**300

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


def document(name: str, value: object) -> dict[str, Json] | None:
    """A mapping as a JSON document whose texts are cleaned, or None for None.

    Raises InvalidInputError where it is no JSON (another type, a key that is no text, NaN or
    infinity), LimitExceededError beyond 64 KiB, 32 levels or numbers of ±1e300.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InvalidInputError(f"{name} must be a mapping, not {type(value).__name__}")
    cleaned = _object(name, value, 1)
    size = len(json.dumps(cleaned, ensure_ascii=False).encode())
    if size > MAX_BYTES:
        raise LimitExceededError(f"{name} has {size:,} bytes of JSON, more than 64 KiB")
    return cleaned


def _object(path: str, value: Mapping[object, object], level: int) -> dict[str, Json]:
    _check_level(path, level)
    cleaned: dict[str, Json] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise InvalidInputError(f"{path} has a key that is no text: {key!r}")
        cleaned[clean_text(key)] = _json(f"{path}.{key}", item, level + 1)
    return cleaned


def _json(path: str, value: object, level: int) -> Json:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, (int, float)):
        return _number(path, value)
    if isinstance(value, Mapping):
        return _object(path, value, level)
    if isinstance(value, (list, tuple)):
        _check_level(path, level)
        return [_json(f"{path}[{place}]", item, level + 1) for place, item in enumerate(value)]
    raise InvalidInputError(f"{path} is no JSON: {type(value).__name__}")


def _number(path: str, value: float) -> float:
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidInputError(f"{path} must be a finite number")
    if abs(value) > MAX_NUMBER:
        raise LimitExceededError(f"{path} must lie within ±1e300")
    return value


def _check_level(path: str, level: int) -> None:
    if level > MAX_LEVELS:
        raise LimitExceededError(f"{path[:80]}… is nested more than {MAX_LEVELS} levels deep")
