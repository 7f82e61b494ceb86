"""What a file is, by its name and its beginning."""

from __future__ import annotations

import re
from pathlib import Path

from pgrecall.errors import InvalidInputError

ZIP = b"PK\x03\x04"

_ENDINGS = {".jsonl": "pgrecall", ".ndjson": "pgrecall", ".csv": "csv", ".parquet": "parquet"}
_HEADER = re.compile(rb'^(?:\xef\xbb\xbf)?[\w",]*\bcontent\b[\w",]*\r?\n')


def detected_format(file: str, head: bytes) -> str:
    """The source, by what it begins with, else by the name's ending, else `chat`.

    Raises InvalidInputError for JSON that is none of the known.
    """
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"PAR1"):
        return "parquet"
    if re.match(rb"\[\s*[{\]]", start):
        return _conversations(head)
    if start.startswith(b"{"):
        return "pgrecall"
    if _HEADER.match(head):
        return "csv"
    return _ENDINGS.get(Path(file).suffix.lower(), "chat")


def _conversations(head: bytes) -> str:
    """Of a list of objects, by the names that only one system uses."""
    for name, source in ((b'"chat_messages"', "claude"), (b'"mapping"', "openai")):
        if name in head:
            return source
    raise InvalidInputError(
        "this JSON is no export that pgrecall knows",
        hint="--from says what it is; pgrecall's own files have one JSON object a line.",
    )
