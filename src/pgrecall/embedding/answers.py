"""What an `/embeddings` endpoint answers, read strictly: pure, no HTTP."""

from __future__ import annotations

import json

from pgrecall.errors import EmbedderError


def parse_answer(body: str, *, count: int, server: str) -> list[object]:
    """The vectors in the body of an answer to `count` texts, in the order of the texts.

    Their values are not checked here. An entry without an `index` has that of its place, since
    some servers leave out a zero. `server` names the server in errors. Raises EmbedderError
    when the body is no such answer, has another number of vectors, or indexes that are not each
    of 0 to count - 1 once.
    """
    entries = _entries(body, server)
    if len(entries) != count:
        raise EmbedderError(
            f"Embedding server {server} gave {len(entries)} vectors for {count} texts",
            hint="Try batch_size=1; if that works, the server can't take several texts at once.",
        )
    vectors = {_index(entry, place): entry.get("embedding") for place, entry in enumerate(entries)}
    if vectors.keys() != set(range(count)):
        raise EmbedderError(
            f"Embedding server {server} gave vectors whose indexes do not match the texts",
            hint="Try batch_size=1; if that works, the server can't take several texts at once.",
        )
    return [vectors[index] for index in range(count)]


def _index(entry: dict[str, object], place: int) -> int:
    index = entry.get("index", place)
    return index if isinstance(index, int) else -1


def _entries(body: str, server: str) -> list[dict[str, object]]:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    entries = answer.get("data") if isinstance(answer, dict) else None
    if isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries):
        return entries
    raise EmbedderError(
        f"Embedding server {server} answered with something that is not a list of embeddings",
        hint="Check that the base URL is that of an OpenAI-compatible API; it often ends in /v1.",
    )
