"""The part of a long text that a question is about, for a prompt that has no room for the whole."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable

from pgrecall.domain.pieces import PIECE_CHARACTERS, parts

SHORTEST = 60
# Of longer words the beginning is enough: what follows is mostly how the word is bent.
_STEM_CHARACTERS = 6
_WORD = re.compile(r"\w+")
# From Thai on, scripts without spaces between words: their letters are looked for in pairs.
_UNSPACED = "\u0e00"


def passage(text: str, query: str, *, fits: Callable[[str], bool]) -> str:
    """The part of the text that has the rarest words of the query, marked where it is cut.

    It has at most 1,000 characters, and so much less that it `fits`, down to about 60; of parts
    with nothing of the query, the first.
    """
    characters = PIECE_CHARACTERS
    chosen = text
    while True:
        chosen = _best(parts(chosen, characters), query)
        found = _marked(chosen, text)
        if fits(found) or characters < 2 * SHORTEST:
            return found
        characters //= 2


def _best(candidates: list[str], query: str) -> str:
    stems = _stems(query)
    held = [{stem for stem in stems if stem in plain} for plain in map(_plain, candidates)]
    frequency = Counter(stem for found in held for stem in found)
    scores = [sum(1 / frequency[stem] for stem in found) for found in held]
    return candidates[scores.index(max(scores))]


def _stems(query: str) -> set[str]:
    stems: set[str] = set()
    for word in _WORD.findall(_plain(query)):
        if word[0] >= _UNSPACED:
            stems |= {word[place : place + 2] for place in range(max(1, len(word) - 1))}
        elif len(word) > 1:
            stems.add(word[:_STEM_CHARACTERS])
    return stems


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _marked(chosen: str, text: str) -> str:
    begins = "" if text.startswith(chosen) else "… "
    ends = "" if text.endswith(chosen) else " …"
    return f"{begins}{chosen}{ends}"
