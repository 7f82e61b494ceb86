"""The remote embedder against a real HTTP server on this machine."""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pgrecall.embedding.answers import parse_answer
from pgrecall.embedding.remote import REQUEST_CHARACTERS, RemoteEmbedder
from pgrecall.errors import ConfigurationError, EmbedderError, InvalidInputError, MissingExtraError
from pgrecall.testing.embedder import HashingEmbedder
from tests.memory.forks import fork

KEY = "sk-very-secret-key-0123456789"
Server = Any
Body = dict[str, Any]


@pytest.fixture
def remote(server: Server) -> Callable[..., RemoteEmbedder]:
    def build(dimension: int = server.dimension, **arguments: Any) -> RemoteEmbedder:
        arguments = {"base_url": server.url, "api_key": KEY, "max_retries": 0} | arguments
        return RemoteEmbedder("test-model", dimension, **arguments)

    return build


def answer(status: int, body: object, **headers: str) -> Callable[[Body], Any]:
    text = body if isinstance(body, str) else json.dumps(body)
    return lambda request: (status, {k.replace("_", "-"): v for k, v in headers.items()}, text)


def test_good_answers_are_normalised_and_in_order(server: Server, remote: Any) -> None:
    texts = [f"text number {number}" for number in range(10)]
    vectors = remote(batch_size=4).embed(texts)
    np.testing.assert_allclose(vectors, HashingEmbedder(server.dimension).embed(texts), atol=1e-6)
    assert [len(request["input"]) for request in server.requests] == [4, 4, 2]


def test_a_request_is_what_the_protocol_says(server: Server, remote: Any) -> None:
    remote().embed(["text"])
    request = server.requests[0]
    assert request.pop("path") == "/v1/embeddings"
    assert request.pop("authorization") == f"Bearer {KEY}"
    assert request == {"model": "test-model", "input": ["text"], "encoding_format": "float"}


def test_a_shortened_model_asks_for_its_dimension_and_says_so_in_its_name(
    server: Server, remote: Any
) -> None:
    embedder = remote(is_shortened=True)
    embedder.embed(["text"])
    assert server.requests[0]["dimensions"] == server.dimension
    assert server.requests[0]["model"] == "test-model"
    assert embedder.model == f"test-model@{server.dimension}"


def test_prefixes_mark_texts_and_queries(server: Server, remote: Any) -> None:
    embedder = remote(text_prefix="passage: ", query_prefix="query: ")
    embedder.embed(["text"])
    embedder.embed_query("question")
    assert [request["input"] for request in server.requests] == [
        ["passage: text"],
        ["query: question"],
    ]


def test_long_texts_are_cut_and_requests_bounded(server: Server, remote: Any) -> None:
    remote(max_characters=90_000).embed(["x" * 100_000] * 5)
    assert [list(map(len, r["input"])) for r in server.requests] == [[90_000] * 2] * 2 + [[90_000]]
    assert 2 * 90_000 <= REQUEST_CHARACTERS < 3 * 90_000


def test_answers_out_of_order_are_put_in_order(server: Server, remote: Any) -> None:
    server.script.append(
        lambda request: (200, {}, json.dumps({"data": server.entries(request)[::-1]}))
    )
    texts = ["one", "two", "three"]
    np.testing.assert_allclose(
        remote().embed(texts), HashingEmbedder(server.dimension).embed(texts), atol=1e-6
    )


def test_a_wrong_dimension_is_an_error(server: Server, remote: Any) -> None:
    with pytest.raises(EmbedderError, match=r"dimension 32 for texts\[0\].*has dimension 48"):
        remote(48).embed(["text"])


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_wrong_count_is_an_error(server: Server, remote: Any, count: int) -> None:
    entries = [{"index": index, "embedding": [1.0] * 32} for index in range(count)]
    server.script.append(answer(200, {"data": entries}))
    with pytest.raises(EmbedderError, match=f"gave {count} vectors for 2 texts"):
        remote().embed(["a", "b"])


@pytest.mark.parametrize(
    "body",
    ["<html>proxy</html>", "", "[]", "null", {"data": None}, {"data": [1]}, {"error": "no"}],
)
def test_an_answer_of_another_kind_is_an_error(server: Server, remote: Any, body: object) -> None:
    server.script.append(answer(200, body))
    with pytest.raises(EmbedderError, match="not a list of embeddings"):
        remote().embed(["text"])


@pytest.mark.parametrize(
    ("vector", "message"),
    [
        (None, r"texts\[0\]"),
        ("AACAPwAAAAA=", "not a list of numbers"),
        ([0.0] * 32, r"texts\[0\] is zero"),
        ([float("nan")] * 32, "not finite"),
    ],
)
def test_bad_vectors_are_errors(server: Server, remote: Any, vector: object, message: str) -> None:
    server.script.append(answer(200, {"data": [{"index": 0, "embedding": vector}]}))
    with pytest.raises(EmbedderError, match=message):
        remote().embed(["text"])


def test_indexes_must_match_the_texts() -> None:
    def body(*indexes: object) -> str:
        return json.dumps({"data": [{"index": i, "embedding": [i]} for i in indexes]})

    assert parse_answer(body(1, 0), count=2, server="s") == [[0], [1]]
    for wrong in ((0, 0), (1, 2), (0, -1), (0, "1"), (0, [1]), (0, None)):
        with pytest.raises(EmbedderError, match="indexes"):
            parse_answer(body(*wrong), count=2, server="s")


def test_a_left_out_index_is_that_of_its_place() -> None:
    body = json.dumps({"data": [{"embedding": [0]}, {"index": 1, "embedding": [1]}]})
    assert parse_answer(body, count=2, server="s") == [[0], [1]]


def test_429_then_success_is_success(server: Server, remote: Any) -> None:
    limited = answer(429, {"error": {"message": "slow down"}}, retry_after_ms="10")
    server.script.extend([limited, limited])
    assert remote(max_retries=2).embed(["text"]).shape == (1, server.dimension)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "refused the request"),
        (401, "refused the API key"),
        (403, "refused access"),
        (404, "knows no such model"),
        (413, "too large"),
        (422, "failed"),
        (429, "limits requests"),
        (500, "failed"),
        (503, "failed"),
    ],
)
def test_a_refusal_says_what_and_hides_the_key(
    server: Server, remote: Any, status: int, message: str
) -> None:
    server.script.append(answer(status, {"error": {"message": f"because of {KEY}, sorry"}}))
    embedder = remote()
    with pytest.raises(EmbedderError, match=message) as raised:
        embedder.embed(["text"])
    error = raised.value
    assert f"HTTP {status}" in error.message
    assert "because of [API key], sorry" in error.message
    assert "test-model" in error.message
    assert error.__cause__ is None
    assert error.__context__ is None
    assert KEY not in "".join(traceback.format_exception(error)) + repr(embedder)


def test_a_refusal_in_html_is_reported_too(server: Server, remote: Any) -> None:
    server.script.append(answer(502, "<html>Bad Gateway</html>", Content_Type="text/html"))
    with pytest.raises(EmbedderError, match=r"HTTP 502\): <html>Bad Gateway"):
        remote().embed(["text"])


def test_a_slow_server_is_a_timeout(server: Server, remote: Any) -> None:
    def late(request: Body) -> Any:
        server.released.wait(5)
        return server.good(request)

    server.script.append(late)
    begun = time.monotonic()
    with pytest.raises(EmbedderError, match="did not answer in time") as raised:
        remote(timeout=0.2).embed(["text"])
    assert time.monotonic() - begun < 3
    assert raised.value.__context__ is None


def test_a_server_that_is_not_there_can_not_be_reached(server: Server, remote: Any) -> None:
    with pytest.raises(EmbedderError, match=r"127\.0\.0\.1 .*can't be reached") as raised:
        remote(base_url="http://127.0.0.1:9/v1").embed(["text"])
    assert raised.value.__context__ is None


def test_blank_texts_are_refused_before_any_request(server: Server, remote: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"texts\[1\] is blank"):
        remote().embed(["fine", " \n"])
    assert server.requests == []


def test_the_address_and_the_key_come_from_the_environment(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n")
    RemoteEmbedder("m", server.dimension).embed(["text"])
    assert server.requests[0]["authorization"] == f"Bearer {KEY}"


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    "arguments",
    [
        {"model": " "},
        {"dimension": 0},
        {"dimension": 16_001},
        {"batch_size": 0},
        {"max_characters": 0},
        {"timeout": 0},
        {"max_retries": -1},
        {"base_url": "localhost:11434"},
        {"base_url": "ftp://host/v1"},
        {"base_url": "http://[broken"},
        {"base_url": "http://host:port/v1"},
        {"api_key": None},
        {"api_key": "“quoted-secret”"},
        {"api_key": "two\nlines-secret"},
    ],
)
def test_wrong_arguments_are_refused_at_once(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as raised:
        RemoteEmbedder(**{"model": "m", "dimension": 8, "api_key": KEY} | arguments)
    assert "secret" not in str(raised.value)


@pytest.mark.usefixtures("server")
def test_without_the_extra_the_error_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'pgrecall\[remote\]'"):
        RemoteEmbedder("m", 8, api_key=KEY)


def test_a_forked_child_has_connections_of_its_own(server: Server, remote: Any) -> None:
    embedder = remote()
    embedder.embed(["a"])
    connections = embedder._client
    child = fork(lambda: [embedder._client is connections, embedder.embed(["b"]).shape[0]])
    assert child.answer() == [False, 1]
    assert embedder._client is connections
