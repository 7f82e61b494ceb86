"""Texts are grouped within bounds and none is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pgrecall.embedding.batching import by_characters, by_tokens

sizes = st.integers(1, 40)


@given(st.lists(st.integers(1, 300), max_size=60), st.integers(1, 600), sizes)
def test_token_groups_hold_every_text_once_within_the_budget(
    lengths: list[int], tokens: int, texts: int
) -> None:
    groups = by_tokens(lengths, tokens=tokens, texts=texts)
    assert sorted(position for group in groups for position in group) == list(range(len(lengths)))
    for group in groups:
        padded = len(group) * max(lengths[position] for position in group)
        assert len(group) == 1 or (padded <= tokens and len(group) <= texts)


def test_token_groups_start_with_the_longest_texts() -> None:
    assert by_tokens([5, 100, 5, 100], tokens=200, texts=8) == [[1, 3], [0, 2]]


@given(st.lists(st.text(max_size=20), max_size=60), sizes, sizes)
def test_character_batches_keep_the_order_within_the_bounds(
    texts: list[str], count: int, characters: int
) -> None:
    batches = list(by_characters(texts, count=count, characters=characters))
    assert [text for batch in batches for text in batch] == texts
    for batch in batches:
        assert 1 <= len(batch) <= count
        assert len(batch) == 1 or sum(map(len, batch)) <= characters
