"""What every caller checks: texts before they go in, vectors after they come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from pgrecall.embedding import (
    Embedder,
    checked_texts,
    checked_vectors,
    embed_query,
    embed_texts,
)
from pgrecall.errors import EmbedderError, InvalidInputError


@dataclass
class Fixed:
    """Answers with what it was given, whatever it is asked."""

    answer: object
    dimension: int = 2
    model: str = "fixed"

    def embed(self, texts: Sequence[str], /) -> object:
        return self.answer

    def embed_query(self, text: str, /) -> object:
        return self.answer


def test_rows_come_back_as_float32_of_length_one() -> None:
    for answer in ([[3, 4], (0, 2)], np.array([[3, 4], [0, 2]], dtype=np.float16)):
        vectors = checked_vectors(answer, embedder=Fixed(answer), count=2)  # type: ignore[arg-type]
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(vectors, [[0.6, 0.8], [0, 1]], atol=1e-7)


def test_very_long_and_very_short_vectors_are_scaled_without_overflow() -> None:
    answer = [[3e38, 3e38], [1e-37, 0]]
    vectors = embed_texts(Fixed(answer), ["a", "b"])  # type: ignore[arg-type]
    np.testing.assert_allclose(vectors, [[0.5**0.5, 0.5**0.5], [1, 0]], rtol=1e-6)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([[1, 0]], "gave 1 vectors for 2 texts"),
        ([[1, 0]] * 3, "gave 3 vectors for 2 texts"),
        ([], "gave 0 vectors for 2 texts"),
        ([[1, 0], [1, 0, 0]], r"dimension 3 for texts\[1\], but says it has dimension 2"),
        ([[1, 0], []], r"dimension 0 for texts\[1\]"),
        ([[1, 0], 1.0], r"dimension \(\) for texts\[1\]"),
        (np.ones((2, 3)), r"dimension 3 for texts\[0\]"),
        (np.ones(2), r"dimension \(\) for texts\[0\]"),
        (np.float32(1), "float32, not an array or a list"),
        (None, "NoneType, not an array or a list"),
        ("ab", "str, not an array or a list"),
        ([[1, 0], [float("nan"), 1]], r"texts\[1\] has values that are not finite"),
        ([[1, 0], [float("inf"), 1]], r"texts\[1\] has values that are not finite"),
        ([[1, 0], [1e300, 1]], r"texts\[1\] has values that are not finite"),
        ([[1, 0], [0, 0]], r"texts\[1\] is zero"),
        ([[1, 0], [1e-300, 0]], r"texts\[1\] is zero"),
        ([[1, 0], "AAAAAAAA"], r"texts\[1\] is not a list of numbers"),
        ([[1, 0], [[1], [0, 1]]], r"texts\[1\] is not a list of numbers"),
        ([[1, 0], None], r"texts\[1\]"),
    ],
)
def test_an_answer_that_breaks_the_promise_says_where(answer: object, message: str) -> None:
    with pytest.raises(EmbedderError, match=message) as raised:
        embed_texts(Fixed(answer), ["a", "b"])  # type: ignore[arg-type]
    assert "fixed" in raised.value.message
    assert raised.value.hint


def test_no_texts_do_not_reach_the_model() -> None:
    assert embed_texts(Fixed("never asked"), []).shape == (0, 2)  # type: ignore[arg-type]


def test_a_query_is_one_vector() -> None:
    assert embed_query(Fixed(np.array([0.0, 5.0])), "q").tolist() == [0, 1]  # type: ignore[arg-type]
    with pytest.raises(EmbedderError, match=r"dimension \(1, 2\)"):
        embed_query(Fixed(np.array([[0.0, 5.0]])), "q")  # type: ignore[arg-type]


def test_texts_that_are_no_texts_are_refused_with_their_index() -> None:
    with pytest.raises(InvalidInputError, match=r"texts\[1\].*surrogate at character 3"):
        checked_texts(["fine", "not\ud83d"])
    with pytest.raises(InvalidInputError, match=r"texts\[0\] is bytes"):
        checked_texts([b"bytes"])  # type: ignore[list-item]
    with pytest.raises(InvalidInputError, match="not one text"):
        checked_texts("letters")


def test_the_hint_for_a_lone_surrogate_works() -> None:
    cleaned = "not\ud83d \ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert checked_texts([cleaned]) == ["not\ufffd 😀"]


def test_an_object_without_the_methods_is_no_embedder() -> None:
    assert isinstance(Fixed(None), Embedder)
    assert not isinstance("local", Embedder)
