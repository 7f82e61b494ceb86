"""Which embedder a setting names."""

from __future__ import annotations

import pytest

from pgrecall.embedding import EMBEDDER_CHOICES, default_embedder, embedder_named
from pgrecall.embedding.local import LocalEmbedder
from pgrecall.errors import ConfigurationError


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-key")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def test_local_is_the_default_and_one_per_process() -> None:
    assert isinstance(default_embedder(), LocalEmbedder)
    assert embedder_named("local") is embedder_named(" local ") is default_embedder()


def test_none_is_no_embedder() -> None:
    assert embedder_named("none") is None


@pytest.mark.parametrize(
    ("name", "model", "dimension"),
    [
        ("openai:text-embedding-3-small", "text-embedding-3-small", 1536),
        ("openai:text-embedding-3-large", "text-embedding-3-large", 3072),
        ("openai:text-embedding-3-large@3072", "text-embedding-3-large", 3072),
        ("openai:text-embedding-3-large@1024", "text-embedding-3-large@1024", 1024),
        ("openai:nomic-embed-text:v1.5@768", "nomic-embed-text:v1.5", 768),
        ("openai:BAAI/bge-m3@1024", "BAAI/bge-m3", 1024),
        ("openai:@cf/baai/bge-m3@1024", "@cf/baai/bge-m3", 1024),
    ],
)
def test_a_remote_model_is_named_with_its_dimension(name: str, model: str, dimension: int) -> None:
    embedder = embedder_named(name)
    assert embedder is not None
    assert (embedder.model, embedder.dimension) == (model, dimension)


@pytest.mark.parametrize("name", ["", "Local", "hashing", "openai", "openai:", "openai:a b@3"])
def test_an_unknown_name_lists_the_choices(name: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        embedder_named(name)
    assert all(choice in str(raised.value) for choice in EMBEDDER_CHOICES)


def test_an_unknown_model_needs_its_dimension() -> None:
    with pytest.raises(ConfigurationError, match="openai:bge-m3@768"):
        embedder_named("openai:bge-m3")
    with pytest.raises(ConfigurationError, match="between 1 and 16000"):
        embedder_named("openai:bge-m3@0")
