"""Which embedder a setting names."""

from __future__ import annotations

import re

from pgrecall.embedding.protocol import Embedder
from pgrecall.errors import ConfigurationError

EMBEDDER_CHOICES = ("local", "multilingual", "none", "openai:<model>", "openai:<model>@<dimension>")
"""What the setting `PGRECALL_EMBEDDER` takes; `local` is the default."""

OPENAI_DIMENSIONS = {
    "text-embedding-3-small": 1536,
    "text-embedding-3-large": 3072,
    "text-embedding-ada-002": 1536,
}
"""The full dimension of OpenAI's own models; for another model the setting must say it."""

_REMOTE = re.compile(r"openai:(?P<model>\S+?)(?:@(?P<dimension>[0-9]+))?")


def default_embedder() -> Embedder:
    """The model that ships with pgrecall: one for the whole process, loaded on first use."""
    from pgrecall.embedding.local import SHARED

    return SHARED


def embedder_named(name: str) -> Embedder | None:
    """The embedder that a setting such as `PGRECALL_EMBEDDER` names; None for `none`.

    `local` is the model that ships with pgrecall, for English; `multilingual` one for a hundred
    languages, from the extra of that name. `openai:<model>@<dimension>` is a model behind
    an endpoint that speaks OpenAI's protocol, at `OPENAI_BASE_URL` (OpenAI's own when unset)
    with the key in `OPENAI_API_KEY`; the dimension may be left out for OpenAI's models, and
    shortens their vectors when it is smaller than theirs.

    Raises ConfigurationError for another name, MissingExtraError when the extra `remote` is not
    installed.
    """
    match name.strip():
        case "local":
            return default_embedder()
        case "multilingual":
            return _multilingual()
        case "none":
            return None
        case remote if match := _REMOTE.fullmatch(remote):
            return _remote(match["model"], match["dimension"])
    raise ConfigurationError(
        f"There is no embedder {name!r}", hint=f"Choose one of {', '.join(EMBEDDER_CHOICES)}."
    )


def _multilingual() -> Embedder:
    from pgrecall.embedding.multilingual import SHARED

    return SHARED


def _remote(model: str, dimension: str | None) -> Embedder:
    from pgrecall.embedding.remote import RemoteEmbedder

    full = OPENAI_DIMENSIONS.get(model)
    if dimension is None and full is None:
        raise ConfigurationError(
            f"The dimension of embedder openai:{model} is not known",
            hint=f"Write openai:{model}@<dimension>, such as openai:{model}@768.",
        )
    wanted = int(dimension) if dimension is not None else full
    assert wanted is not None
    return RemoteEmbedder(model, wanted, is_shortened=full is not None and wanted != full)
