"""The embedder that needs no key and no network: all-MiniLM-L6-v2 with int8 weights."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from pgrecall.embedding.batching import by_tokens
from pgrecall.embedding.checks import checked_texts
from pgrecall.embedding.minilm import DIMENSION, MAX_TOKENS, MiniLM, load_minilm
from pgrecall.embedding.protocol import Vector, Vectors
from pgrecall.errors import ConfigurationError
from pgrecall.forks import renew_in_child

MAX_THREADS = 4


class LocalEmbedder:
    """English texts to 384-dimensional unit vectors, on the CPU, offline.

    A text is cut at 256 tokens (about 1,000 characters). One without any word, such as "" or
    "  ", has a vector too: that of the empty sentence. Thread-safe; the model is loaded once, on
    first use or by `load`.

    `threads` is how many groups of texts run at once (1 or more; by default the number of
    CPUs, at most 4), `batch_size` how many texts a group may hold, `model_file` a copy of the
    packaged model elsewhere; its SHA-256 is checked all the same.
    """

    model = "all-MiniLM-L6-v2-int8"
    dimension = DIMENSION

    def __init__(
        self,
        *,
        threads: int | None = None,
        batch_size: int = 32,
        model_file: Path | None = None,
    ) -> None:
        if batch_size < 1 or (threads is not None and threads < 1):
            raise ConfigurationError("threads and batch_size of LocalEmbedder are 1 or more")
        self._threads = threads or min(MAX_THREADS, os.cpu_count() or 1)
        self._batch_size = batch_size
        self._model_file = model_file
        self._loaded: MiniLM | None = None
        self.after_fork()
        renew_in_child(self)

    def after_fork(self) -> None:
        """Go on with the model, if it is loaded; its sessions have no threads."""
        self._lock = threading.Lock()

    def load(self) -> None:
        """Load the model now, 0.3 to 0.6 s, so that the first call does not wait for it.

        Raises EmbedderError when the model is missing or not the one that is expected; a later
        call tries again.
        """
        self._minilm()

    def embed(self, texts: Sequence[str], /) -> Vectors:
        """Unit vectors of shape (len(texts), 384), in the order of `texts`.

        A text's vector is the same within 1e-5 whatever it is embedded with. Raises
        InvalidInputError for a text that is no valid Unicode, EmbedderError as `load` does.
        """
        checked = checked_texts(texts)
        vectors = np.empty((len(checked), DIMENSION), dtype=np.float32)
        if checked:
            minilm = self._minilm()
            self._fill(vectors, minilm, [minilm.tokens(text) for text in checked])
        return vectors

    def embed_query(self, text: str, /) -> Vector:
        """The unit vector of a query, shape (384,): the same as if it were stored."""
        query: Vector = self.embed([text])[0]
        return query

    def _fill(self, vectors: Vectors, minilm: MiniLM, tokens: list[list[int]]) -> None:
        """Write the vector of each list of token ids into its row of `vectors`."""

        def run(group: list[int]) -> None:
            vectors[group] = minilm.vectors([tokens[position] for position in group])

        # A budget of one full text: more would only be slower, since activations leave the cache.
        groups = by_tokens([len(ids) for ids in tokens], tokens=MAX_TOKENS, texts=self._batch_size)
        if len(groups) == 1:
            run(groups[0])
            return
        with ThreadPoolExecutor(min(self._threads, len(groups)), "pgrecall-embed") as pool:
            for _ in pool.map(run, groups):
                pass

    def _minilm(self) -> MiniLM:
        with self._lock:
            if self._loaded is None:
                self._loaded = load_minilm(self._model_file)
            return self._loaded

    def __repr__(self) -> str:
        return f"LocalEmbedder(model={self.model!r}, dimension={self.dimension})"


SHARED = LocalEmbedder()
"""The process's own, so that several memories hold the model once."""
