"""How many tokens a text has, about, for whatever language model it goes to.

Tokenizers differ, so this errs on the side of more: over the paragraphs of XQuAD it is 1.3 times
what five of them count in English, and in Arabic, Chinese, German, Hindi and Spanish at least what
the one counts that needs most (`python -m benchmarks.tokens`). Whoever has the model's own
tokenizer gives it to `Recall.as_prompt`.
"""

from __future__ import annotations

import math
import re

_PIECES = re.compile(r"([A-Z]?[a-z]+(?![A-Za-z0-9]))|([0-9]+(?![A-Za-z]))|([A-Za-z0-9]+)|([^ ])")
_ENGLISH = {
    "the", "and", "of", "to", "is", "are", "that", "this", "it", "you", "for", "with", "have",
    "what", "not", "they", "she", "he", "was", "in",
}  # fmt: skip
# A text is taken for English if so large a part of its words is.
_SHARE_OF_ENGLISH = 1 / 8
_LETTERS_PER_TOKEN_IN_ENGLISH = 4.0
# Other languages in Latin script are cut into smaller pieces by vocabularies made for English.
_LETTERS_PER_TOKEN = 2.5
_TOKENS_PER_DIGIT = 0.6
# Letters with digits, or with capitals inside, are no word but an id, a key, a name in code.
_TOKENS_PER_SIGN = 0.72
# Tokens a character beyond ASCII, by the first code point that the next entry begins with.
_TOKENS_BEYOND_ASCII = (
    (0x250, 2.0),  # accented Latin
    (0x800, 1.3),  # Greek, Cyrillic, Hebrew, Arabic
    (0x1200, 2.2),  # the scripts of India, Thai, Georgian
    (0x13A0, 3.3),  # Ethiopic
    (0x2E80, 2.2),
    (0xA000, 1.6),  # Chinese and Japanese
    (0x10000, 2.2),  # Korean
    (0x110000, 3.0),  # emoji
)


def estimated_tokens(text: str) -> int:
    """About how many tokens the text has, rather too many than too few."""
    pieces = _PIECES.findall(text)
    words = [word for word, *_ in pieces if word]
    english = sum(word.lower() in _ENGLISH for word in words)
    is_english = english > 0 and english >= _SHARE_OF_ENGLISH * len(words)
    letters = _LETTERS_PER_TOKEN_IN_ENGLISH if is_english else _LETTERS_PER_TOKEN
    total = 0.0
    for word, digits, mixed, other in pieces:
        if word:
            total += max(1.0, len(word) / letters)
        elif other:
            total += 1.0 if other.isascii() else _beyond_ascii(ord(other))
        else:
            total += max(1.0, len(digits) * _TOKENS_PER_DIGIT + len(mixed) * _TOKENS_PER_SIGN)
    return math.ceil(total)


def _beyond_ascii(code_point: int) -> float:
    return next(tokens for end, tokens in _TOKENS_BEYOND_ASCII if code_point < end)
