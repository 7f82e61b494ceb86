"""An embedder behind HTTP: any endpoint that speaks OpenAI's `/embeddings` protocol."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np

from pgrecall.embedding.answers import parse_answer
from pgrecall.embedding.batching import by_characters
from pgrecall.embedding.checks import checked_texts, checked_vectors
from pgrecall.embedding.protocol import Vector, Vectors
from pgrecall.errors import ConfigurationError, EmbedderError, InvalidInputError, MissingExtraError
from pgrecall.forks import renew_in_child

if TYPE_CHECKING:
    import openai

OPENAI_URL = "https://api.openai.com/v1"

MAX_DIMENSION = 16_000
"""What pgvector's `halfvec` holds."""

REQUEST_CHARACTERS = 200_000
"""Characters per request: OpenAI takes 300,000 tokens, and few texts have more than one each."""

FAULTS = {
    400: ("refused the request", "Check the model's name, its dimension and the texts' length."),
    401: ("refused the API key", "Check the API key (OPENAI_API_KEY) and the address it is for."),
    403: ("refused access", "Check that the API key may use this model."),
    404: ("knows no such model or address", "Check the model's name and the base URL."),
    413: ("found the request too large", "Lower batch_size or max_characters."),
    429: ("limits requests", "Wait, raise max_retries, or check the account's quota."),
}
"""HTTP status to what it means and what to do."""

_INHERITED: list[object] = []


class RemoteEmbedder:
    """A model of `dimension` dimensions (1 to 16000) at an OpenAI-compatible endpoint.

    `base_url` falls back to `OPENAI_BASE_URL`, then to OpenAI's own; `api_key` to
    `OPENAI_API_KEY`. With `is_shortened` the server is asked to shorten its vectors to
    `dimension`, and they are stored under a name that says so. `text_prefix` and `query_prefix`
    mark stored texts and queries for models that want it. A text is cut at `max_characters`, so
    that a long one does not fail on the model's limit of tokens; a request holds at most
    `batch_size` texts and 200,000 characters. `timeout` is in seconds, for connecting and for
    each wait for an answer; `max_retries` further attempts follow timeouts, lost connections,
    HTTP 408, 409, 429 and 5xx, after pauses that grow or that the server asks for.

    Thread-safe. Raises MissingExtraError without the package `openai`, ConfigurationError for
    arguments out of range, a missing key or a malformed address.
    """

    def __init__(
        self,
        model: str,
        dimension: int,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        is_shortened: bool = False,
        text_prefix: str = "",
        query_prefix: str = "",
        batch_size: int = 64,
        max_characters: int = 8_000,
        timeout: float = 30.0,
        max_retries: int = 2,
    ) -> None:
        _check_model(model, dimension)
        _check_ranges((batch_size, max_characters), timeout, max_retries)
        address = _address(base_url)
        self._connect = partial(_client, address, _key(api_key), timeout, max_retries)
        self._client = self._connect()
        renew_in_child(self)
        self.model = f"{model}@{dimension}" if is_shortened else model
        self.dimension = dimension
        self._served_model = model
        self._server = f"{urlsplit(address).hostname} (model {model})"
        self._extra_body = {"dimensions": dimension} if is_shortened else None
        self._text_prefix, self._query_prefix = text_prefix, query_prefix
        self._batch_size, self._max_characters = batch_size, max_characters

    def after_fork(self) -> None:
        """Leave the parent its connections, in which answers to it and to the child would mix."""
        # Kept, since its end would wait for locks that no thread of the child gives back.
        _INHERITED.append(self._client)
        self._client = self._connect()

    def embed(self, texts: Sequence[str], /) -> Vectors:
        """Unit vectors of shape (len(texts), dimension), in the order of `texts`.

        Raises InvalidInputError for a blank text (servers refuse a whole batch for one) or one
        that is no valid Unicode, EmbedderError when the server can't be reached, refuses, or
        answers otherwise than it should; no error holds the API key.
        """
        return self._embed(checked_texts(texts), self._text_prefix)

    def embed_query(self, text: str, /) -> Vector:
        """The unit vector of a query, shape (dimension,); errors as `embed`."""
        query: Vector = self._embed(checked_texts([text]), self._query_prefix)[0]
        return query

    def _embed(self, texts: list[str], prefix: str) -> Vectors:
        _check_not_blank(texts)
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        cut = [(prefix + text)[: self._max_characters] for text in texts]
        vectors: list[object] = []
        for batch in by_characters(cut, count=self._batch_size, characters=REQUEST_CHARACTERS):
            body = self._post(batch)
            vectors += parse_answer(body, count=len(batch), server=self._server)
        return checked_vectors(vectors, embedder=self, count=len(texts))

    def _post(self, batch: list[str]) -> str:
        """The body of the server's answer.

        What fails is raised outside the `except` clauses: openai's errors hold the request with
        its key, so they must not go along as cause or context.
        """
        import openai

        try:
            answer = self._client.embeddings.with_raw_response.create(
                model=self._served_model,
                input=batch,
                encoding_format="float",
                extra_body=self._extra_body,
            )
            return answer.http_response.text
        except openai.APIStatusError as failed:
            fault = self._refusal(failed.status_code, failed.body)
        except openai.APITimeoutError:
            fault = self._fault("did not answer in time", "Raise timeout, or lower batch_size.")
        except openai.APIConnectionError:
            fault = self._fault("can't be reached", "Check the base URL and the network.")
        raise fault

    def _refusal(self, status: int, body: object) -> EmbedderError:
        what, hint = FAULTS.get(status, ("failed", "Try again later; its own log says more."))
        message = body.get("message") if isinstance(body, dict) else body
        words = _without_key(str(message or ""), self._client.api_key)[:300]
        return self._fault(f"{what} (HTTP {status}){': ' if words else ''}{words}", hint)

    def _fault(self, what: str, hint: str) -> EmbedderError:
        return EmbedderError(f"Embedding server {self._server} {what}", hint=hint)

    def __repr__(self) -> str:
        return f"RemoteEmbedder(model={self.model!r}, dimension={self.dimension})"


def _client(base_url: str, api_key: str, timeout: float, max_retries: int) -> openai.OpenAI:
    try:
        import openai
    except ModuleNotFoundError as absent:
        raise MissingExtraError(
            "Remote embedders need the package openai", hint="pip install 'pgrecall[remote]'"
        ) from absent
    return openai.OpenAI(
        base_url=base_url, api_key=api_key, timeout=timeout, max_retries=max_retries
    )


def _address(base_url: str | None) -> str:
    address = (base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI_URL).strip()
    try:
        parts = urlsplit(address)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid:
        raise ConfigurationError(
            "The address of the embedding server is malformed",
            hint="Write base_url (or OPENAI_BASE_URL) like http://127.0.0.1:11434/v1.",
        )
    return address


def _key(api_key: str | None) -> str:
    """The key to send; its own text is in no error."""
    key = (api_key or os.environ.get("OPENAI_API_KEY") or "").strip()
    if not key:
        raise ConfigurationError(
            "There is no API key for the embedding server",
            hint="Set OPENAI_API_KEY or pass api_key; for a server that wants none, any word.",
        )
    if not (key.isascii() and key.isprintable()):
        raise ConfigurationError(
            "The API key for the embedding server has characters that no key has",
            hint="Copy it again; a quotation mark or a line break may have come along.",
        )
    return key


def _without_key(text: str, key: str) -> str:
    """`text` with the key blotted out; words such as "none" are left, since they are no keys."""
    return text.replace(key, "[API key]") if len(key) >= 8 else text


def _check_not_blank(texts: list[str]) -> None:
    for index, text in enumerate(texts):
        if not text.strip():
            raise InvalidInputError(
                f"texts[{index}] is blank, and remote models take no blank text",
                hint="Leave blank texts without an embedding.",
            )


def _check_model(model: str, dimension: int) -> None:
    if not model.strip():
        raise ConfigurationError("The name of the embedding model is empty")
    if not 1 <= dimension <= MAX_DIMENSION:
        raise ConfigurationError(
            f"The embedding dimension {dimension} is not between 1 and {MAX_DIMENSION}"
        )


def _check_ranges(sizes: tuple[int, int], timeout: float, max_retries: int) -> None:
    if min(sizes) < 1 or timeout <= 0 or max_retries < 0:
        raise ConfigurationError(
            "batch_size and max_characters of RemoteEmbedder are 1 or more, timeout is above 0 "
            "seconds, max_retries is 0 or more"
        )
