"""What was recalled is known again, and nothing else is taken for it."""

from __future__ import annotations

import pytest

from pgrecall.domain.marks import own_words, without_recalled
from tests.recall.marked import BLOCK, TEXTS


@pytest.mark.parametrize(("text", "rest"), TEXTS.values(), ids=TEXTS)
def test_only_what_is_ours_is_left_out(text: str, rest: str) -> None:
    assert without_recalled(text) == rest


def test_what_is_ours_alone_is_kept_to_be_refused() -> None:
    assert own_words(BLOCK) == BLOCK
    assert own_words(f"{BLOCK}\nCook!") == "Cook!"
    assert own_words("Cook!") == "Cook!"
