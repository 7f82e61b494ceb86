"""A text in the pieces that are embedded: ordinary texts whole, long ones in parts.

What an ordinary message is about, one vector says well enough. Of a text that no single row of the
index holds, an embedder reads the beginning alone: its parts are embedded one by one, each as
short as the embedders that come with pgrecall read to its end.
"""

from __future__ import annotations

import re

# As agent_memory.pieces has it: what stands behind them is indexed in pieces, too.
LONG_CHARACTERS = 30_000
PIECE_CHARACTERS = 1_000

_SPACE = re.compile(r"\s")


def pieces(text: str) -> list[str]:
    """The text, or the parts of one that has more than 30,000 characters."""
    return [text] if len(text) <= LONG_CHARACTERS else parts(text, PIECE_CHARACTERS)


def parts(text: str, longest: int) -> list[str]:
    """A text that is not blank in parts of at most `longest` characters, none of them blank.

    A part ends before white space, where there is any in its second half.
    """
    found: list[str] = []
    start = 0
    while start < len(text):
        end = _end(text, start, longest)
        part = text[start:end].strip()
        if part:
            found.append(part)
        start = end
    return found


def _end(text: str, start: int, longest: int) -> int:
    end = start + longest
    if end >= len(text):
        return len(text)
    for place in range(end, end - longest // 2, -1):
        if _SPACE.match(text, place):
            return place
    return end
