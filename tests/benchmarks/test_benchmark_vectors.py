from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.vectors import CachedEmbedder
from pgrecall.embedding import Vector, Vectors


class CountingEmbedder:
    """Two dimensions, turned by `angle`; remembers what it was asked."""

    model = "counting/2"
    dimension = 2

    def __init__(self, angle: float = 0.0) -> None:
        self.angle = angle
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str], /) -> Vectors:
        self.asked.extend(texts)
        angles = np.array([self.angle + len(text) / 10 for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)

    def embed_query(self, text: str, /) -> Vector:
        opposite: Vector = -self.embed([text])[0]
        return opposite


def test_each_text_is_embedded_once(tmp_path: Path) -> None:
    inner = CountingEmbedder()
    cached = CachedEmbedder(inner, tmp_path)
    first = cached.embed(["a", "bb", "a"])
    again = cached.embed(["bb"])
    assert inner.asked == ["a", "bb"]
    assert cached.misses == 2
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first[1], again[0])


def test_a_query_is_kept_apart_from_a_text(tmp_path: Path) -> None:
    cached = CachedEmbedder(CountingEmbedder(), tmp_path)
    np.testing.assert_array_equal(cached.embed_query("a"), -cached.embed(["a"])[0])


def test_live_queries_are_embedded_each_time(tmp_path: Path) -> None:
    inner = CountingEmbedder()
    cached = CachedEmbedder(inner, tmp_path)
    with cached.live_queries():
        cached.embed_query("a")
        cached.embed_query("a")
    assert inner.asked == ["a", "a"]
    cached.embed_query("a")
    cached.embed_query("a")
    assert inner.asked == ["a", "a", "a"]


def test_vectors_are_kept_across_runs(tmp_path: Path) -> None:
    with CachedEmbedder(CountingEmbedder(), tmp_path) as first:
        expected = first.embed(["a", "bb"])
    inner = CountingEmbedder()
    second = CachedEmbedder(inner, tmp_path)
    np.testing.assert_array_equal(second.embed(["a", "bb"]), expected)
    assert second.misses == 0
    assert inner.asked == ["a"], "one text is embedded anew, to see that the model is the same"


def test_vectors_of_a_changed_model_are_dropped(tmp_path: Path) -> None:
    with CachedEmbedder(CountingEmbedder(), tmp_path) as first:
        first.embed(["a", "bb"])
    turned = CountingEmbedder(angle=1.0)
    second = CachedEmbedder(turned, tmp_path)
    np.testing.assert_array_equal(second.embed(["a", "bb"]), turned.embed(["a", "bb"]))
    assert second.misses == 2
