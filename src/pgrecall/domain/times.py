"""Times: aware, or taken as UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from pgrecall.errors import InvalidInputError


def moment(name: str, value: object) -> datetime | None:
    """A datetime, or a text in ISO 8601, as an aware datetime; without a zone it is UTC.

    None stays None. Raises InvalidInputError for anything else.
    """
    if value is None:
        return None
    if isinstance(value, str):
        value = _parsed(name, value)
    if not isinstance(value, datetime):
        raise InvalidInputError(
            f"{name} must be a datetime or a text in ISO 8601, not {type(value).__name__}",
            item_code="invalid_time",
        )
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _parsed(name: str, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.strip().upper())
    except ValueError:
        raise InvalidInputError(
            f"{name} must be a time in ISO 8601, such as 2026-11-23T10:15:00Z, not {text[:40]!r}",
            item_code="invalid_time",
        ) from None
