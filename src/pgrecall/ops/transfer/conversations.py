"""conversations.json: a long list of conversations, of which one is in memory at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

import ijson

from pgrecall.ops.transfer import claude, openai
from pgrecall.ops.transfer.items import Malformed, SourceParts

_READERS: dict[str, Callable[[str, object], SourceParts]] = {
    "openai": openai.read_conversation,
    "claude": claude.read_conversation,
}


def read_conversations(stream: BinaryIO, source: str) -> SourceParts:
    """The messages of all conversations of an export from `openai` or `claude`.

    What is no JSON ends the reading: nobody knows where the next conversation begins.
    """
    read, number = _READERS[source], 0
    try:
        for conversation in ijson.items(stream, "item", use_float=True):
            number += 1
            yield from read(f"conversation {number}", conversation)
    except (ijson.JSONError, UnicodeDecodeError, RecursionError) as error:
        said = str(error).strip().partition("\n")[0]
        yield Malformed(f"conversation {number + 1}", f"no JSON ({said}); the rest was not read")
        return
    if number == 0:
        yield Malformed("conversation 1", "the file holds no conversations")
