"""What pgrecall does to text before it is stored, and what it refuses.

PostgreSQL stores neither NUL characters nor lone surrogates (halves of a UTF-16 pair, such as
`json.loads('"\\ud83d"')` gives). In text, NUL characters are removed and each lone surrogate
becomes U+FFFD. Identifiers are never changed, since two of them could become one: they are
refused.
"""

from __future__ import annotations

import re

from pgrecall.errors import InvalidInputError, LimitExceededError

MAX_CONTENT_CHARACTERS = 1_000_000
# What is searched for is its first 4,000.
MAX_QUERY_CHARACTERS = 100_000
# Of a conversation's key, and of a slot's name.
MAX_KEY_CHARACTERS = 500

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def clean_text(value: str) -> str:
    """The text without NUL characters, each lone surrogate replaced by U+FFFD."""
    if not _UNSTORABLE.search(value):
        return value
    return _LONE_SURROGATE.sub("�", value.replace("\x00", ""))


def identifier(name: str, value: object, longest: int = 255) -> str | None:
    """A given identifier as it is, or None.

    Raises InvalidInputError for anything but a text without NUL and lone surrogates, and
    LimitExceededError for an empty one or one of more than `longest` characters.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidInputError(f"{name} must be a text, not {type(value).__name__}")
    if _UNSTORABLE.search(value):
        raise InvalidInputError(f"{name} must not hold NUL characters or lone surrogates")
    if not 1 <= len(value) <= longest:
        raise LimitExceededError(
            f"{name} must have 1 to {longest} characters; it has {len(value)}",
            item_code="too_long" if value else "invalid_field",
        )
    return value
