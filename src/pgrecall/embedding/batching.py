"""How texts are grouped before a model sees them: pure, so that it is tested without one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def by_tokens(lengths: Sequence[int], *, tokens: int, texts: int) -> list[list[int]]:
    """Groups of positions in `lengths`, texts of like length together, longest first.

    A group holds at most `texts` positions and, padded to its longest text, at most `tokens`
    tokens; a text that is longer alone is a group of its own.
    """
    groups: list[list[int]] = []
    for position in sorted(range(len(lengths)), key=lambda each: lengths[each], reverse=True):
        if groups and _has_room(groups[-1], lengths, tokens=tokens, texts=texts):
            groups[-1].append(position)
        else:
            groups.append([position])
    return groups


def _has_room(group: list[int], lengths: Sequence[int], *, tokens: int, texts: int) -> bool:
    longest = lengths[group[0]]
    return len(group) < texts and longest * (len(group) + 1) <= tokens


def by_characters(texts: Sequence[str], *, count: int, characters: int) -> Iterator[list[str]]:
    """`texts` in order, cut into lists of at most `count` texts and `characters` characters.

    A text that is longer alone is a list of its own.
    """
    batch: list[str] = []
    size = 0
    for text in texts:
        if batch and (len(batch) == count or size + len(text) > characters):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    if batch:
        yield batch
