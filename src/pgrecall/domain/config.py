"""Settings of agents: changes of them as configure_memory() takes them, and what holds.

Which signals and languages there are is the database's to say; everything else is checked here as
it is there, before anything is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypedDict

from pgrecall.domain.documents import Json
from pgrecall.domain.draft import one_of
from pgrecall.domain.memory import KINDS, VISIBILITIES
from pgrecall.domain.numbers import MAX_HITS, between, count
from pgrecall.domain.text import identifier
from pgrecall.errors import InvalidInputError


class ConfigChanges(TypedDict, total=False):
    """The settings that can be changed; None removes one, so that what is set above it holds.

    `half_life` is in days, or an ISO 8601 duration such as `P30D`. `retention` holds
    `max_age`, days by kind, `max_count`, `expired`, days, and `action`, `forget` or `erase`.
    """

    weights: Mapping[str, float | None] | None
    half_life: float | timedelta | str | None
    limit: int | None
    token_budget: int | None
    language: str | None
    visibility: str | None
    retention: Mapping[str, object] | None


TOKEN_BUDGET = 1200
MAX_WEIGHT = 10
MAX_DAYS = 36_500
MIN_HALF_LIFE = 0.01
RETENTION_ACTIONS = ("forget", "erase")


@dataclass(frozen=True, slots=True)
class AgentSetting:
    """One setting by name, such as `limit` or `weights.meaning`, and where its value is from.

    `source` is agent, organization or built in. None is the value where nothing is set.
    """

    name: str
    value: Json
    source: str
    built_in: Json


@dataclass(frozen=True, slots=True)
class Retention:
    """How long memories are to be kept, in days by kind, and how many; None without a bound.

    `expired` is how many days after `expires_at` they go. `action` is what becomes of them:
    `forget`, also where it is None, or `erase`. `pgrecall maintain` carries it out.
    """

    max_age: Mapping[str, int]
    max_count: int | None
    expired: int | None = None
    action: str | None = None


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """What holds for an agent, or, where `agent_id` is None, for all that don't set it themselves.

    `half_life` is in days. A `language` of None is each memory's own; a `visibility` of None is
    `private` for memories about a user, else `agent`. `settings` says where each one is from.
    """

    agent_id: str | None
    weights: Mapping[str, float]
    half_life: float
    limit: int
    token_budget: int
    language: str | None
    visibility: str | None
    retention: Retention
    embedding_model: str | None
    settings: tuple[AgentSetting, ...]


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """One change of settings, of an agent or, where `agent_id` is None, of those for all agents.

    `before` and `after` hold the settings that changed, by name; None for one that was not set.
    """

    agent_id: str | None
    changed_at: datetime
    changed_by: str
    before: dict[str, Json]
    after: dict[str, Json]


def agent_config(agent_id: str | None, settings: Iterable[AgentSetting]) -> AgentConfig:
    """The configuration that single settings make."""
    settings = tuple(settings)
    values: dict[str, Any] = {each.name: each.value for each in settings}
    return AgentConfig(
        agent_id=agent_id,
        weights=_inside("weights.", values),
        half_life=float(values["half_life"]),
        limit=values["limit"],
        token_budget=values["token_budget"],
        language=values["language"],
        visibility=values["visibility"],
        retention=Retention(
            max_age=_inside("retention.max_age.", values),
            max_count=values.get("retention.max_count"),
            expired=values.get("retention.expired"),
            action=values.get("retention.action"),
        ),
        embedding_model=values["embedding_model"],
        settings=settings,
    )


def _inside(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name.removeprefix(prefix): value
        for name, value in values.items()
        if name.startswith(prefix)
    }


def config_changes(given: Mapping[str, object]) -> dict[str, Json]:
    """The given changes, checked. Raises InvalidInputError, LimitExceededError."""
    if not given:
        raise InvalidInputError("no setting is given", hint=f"There are: {', '.join(_READ)}.")
    return _each("", given, _READ)


def _each(
    path: str, given: object, read: Mapping[str, Callable[[str, object], Json]]
) -> dict[str, Json]:
    """A mapping of which each entry is read by name; None stays."""
    entries = _mapping(path, given)
    unknown = [name for name in entries if name not in read]
    if unknown:
        raise InvalidInputError(
            f"unknown setting {f'{path}.{unknown[0]}'.lstrip('.')[:80]!r}",
            hint=f"There are: {', '.join(read)}.",
        )
    return {
        name: None if value is None else read[name](f"{path}.{name}".lstrip("."), value)
        for name, value in entries.items()
    }


def _mapping(name: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise InvalidInputError(f"{name} must be a mapping, not {type(value).__name__}")
    for key in value:
        if identifier(f"a key of {name or 'settings'}", key) is None:
            raise InvalidInputError(f"{name} has a key that is None")
    return value


def _weights(name: str, value: object) -> Json:
    return {
        signal: None if weight is None else between(f"{name}.{signal}", weight, 0, MAX_WEIGHT)
        for signal, weight in _mapping(name, value).items()
    }


def _half_life(name: str, value: object) -> Json:
    if isinstance(value, str):
        return identifier(name, value, 60)
    days = value.total_seconds() / 86_400 if isinstance(value, timedelta) else value
    return between(name, days, MIN_HALF_LIFE, MAX_DAYS)


def _days(name: str, value: object) -> Json:
    return count(name, value, MAX_DAYS)


_MAX_AGE: dict[str, Callable[[str, object], Json]] = dict.fromkeys(KINDS, _days)
_RETENTION: dict[str, Callable[[str, object], Json]] = {
    "max_age": lambda name, value: _each(name, value, _MAX_AGE),
    "max_count": lambda name, value: count(name, value, 100_000_000),
    "expired": lambda name, value: count(name, value, MAX_DAYS, least=0),
    "action": lambda name, value: one_of(name, value, RETENTION_ACTIONS),
}
_READ: dict[str, Callable[[str, object], Json]] = {
    "weights": _weights,
    "half_life": _half_life,
    "limit": lambda name, value: count(name, value, MAX_HITS),
    "token_budget": lambda name, value: count(name, value, 100_000),
    "language": lambda name, value: identifier(name, value, 63),
    "visibility": lambda name, value: one_of(name, value, VISIBILITIES),
    "retention": lambda name, value: _each(name, value, _RETENTION),
}
