"""The embedder that tests use instead of a model."""

from __future__ import annotations

import numpy as np
import pytest

from pgrecall.errors import ConfigurationError
from pgrecall.testing.embedder import HashingEmbedder


def test_the_name_says_the_dimension() -> None:
    assert [HashingEmbedder().model, HashingEmbedder(8).model] == ["hashing-64", "hashing-8"]


def test_vectors_are_the_same_in_every_process_and_release() -> None:
    vector = HashingEmbedder(4).embed_query("stored vectors must stay comparable")
    np.testing.assert_allclose(vector, [-2 / 5**0.5, 1 / 5**0.5, 0, 0], atol=1e-6)


def test_case_order_and_punctuation_do_not_matter() -> None:
    one, other = HashingEmbedder().embed(["Maria likes TEA!", "tea, likes maria"])
    np.testing.assert_array_equal(one, other)


def test_a_text_without_words_is_near_to_itself_only() -> None:
    empty, marks, words = HashingEmbedder(1024).embed(["", "?!", "some words here"])
    assert empty @ empty == pytest.approx(1)
    assert abs(empty @ marks) < 0.1
    assert abs(empty @ words) < 0.1


def test_words_that_cancel_out_still_give_a_unit_vector() -> None:
    words = [f"w{number}" for number in range(40)]
    pairs = [f"{one} {other}" for one in words for other in words]
    lengths = np.linalg.norm(HashingEmbedder(1).embed(pairs), axis=1)
    np.testing.assert_array_equal(lengths, 1)


def test_a_dimension_below_one_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        HashingEmbedder(0)
