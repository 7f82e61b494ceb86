"""Numbers that callers give: shares from 0 to 1 and counts."""

from __future__ import annotations

from pgrecall.errors import InvalidInputError

# Of a recall at most.
MAX_HITS = 1000


def share(name: str, value: object) -> float | None:
    """A number from 0 to 1, or None; InvalidInputError for anything else, NaN included."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidInputError(f"{name} must be a number from 0 to 1, not {type(value).__name__}")
    if not 0 <= value <= 1:
        raise InvalidInputError(f"{name} must be a number from 0 to 1, not {value}")
    return float(value)


def count(name: str, value: object, most: int, least: int = 1) -> int:
    """A whole number from `least` to `most`; InvalidInputError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidInputError(f"{name} must be a whole number, not {type(value).__name__}")
    if not least <= value <= most:
        raise InvalidInputError(f"{name} must be from {least} to {most:,}, not {value}")
    return value


def between(name: str, value: object, least: float, most: float) -> float:
    """A number from `least` to `most`; InvalidInputError for anything else, NaN included."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidInputError(f"{name} must be a number, not {type(value).__name__}")
    if not least <= value <= most:
        raise InvalidInputError(f"{name} must be from {least} to {most}, not {value}")
    return value
