"""The embedding models of an agent, and what became of filling in, switching and dropping one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """A model of an agent, and how many of the agent's memories have a vector of it.

    `state` is current; next (being filled in); former (current until a switch); dropped (some of
    its vectors are still there); or none, without a model, where the agent has no vectors.
    `changed_at` is when it came into that state, None for the current one.
    """

    agent_id: str
    model: str | None
    dimension: int | None
    state: str
    memories: int
    vectors: int
    missing: int
    changed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """What a backfill did: vectors stored, skipped (others had stored them), rejected.

    `missing` is how many memories still lack a vector of `model`: written meanwhile, private to
    others, or rejected. `is_current` says whether it is the model that the agent uses already.
    """

    agent_id: str
    model: str
    is_current: bool
    stored: int
    skipped: int
    rejected: int
    missing: int


@dataclass(frozen=True, slots=True)
class ModelSwitch:
    """A switch to `model`; `former` is the one before it, None if `model` was current already.

    `missing` of the agent's `memories` have no vector of it.
    """

    agent_id: str
    model: str
    former: str | None
    memories: int
    missing: int


@dataclass(frozen=True, slots=True)
class ModelDrop:
    """A dropped model, and how many vectors went with it."""

    agent_id: str
    model: str
    vectors: int
