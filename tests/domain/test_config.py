"""Changes of settings, and the configuration that settings make."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pgrecall.domain.config import AgentSetting, Retention, agent_config, config_changes
from pgrecall.errors import InvalidInputError


def test_changes_of_every_setting() -> None:
    given = {
        "weights": {"meaning": 1, "recency": None},
        "half_life": timedelta(days=1, hours=12),
        "limit": 20,
        "token_budget": None,
        "language": "german",
        "visibility": "agent",
        "retention": {"max_age": {"message": 30, "fact": None}, "max_count": None},
    }
    assert config_changes(given) == {**given, "half_life": 1.5}


@pytest.mark.parametrize("half_life", [0.01, 30, 36500, "P30D"])
def test_half_lives(half_life: Any) -> None:
    assert config_changes({"half_life": half_life}) == {"half_life": half_life}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "no setting"),
        ({"colour": 1}, "unknown setting 'colour'"),
        ({"embedding_model": "m"}, "unknown setting"),
        ({"limit": 1001}, "limit must be from 1 to 1,000"),
        ({"limit": "5"}, "limit must be a whole number"),
        ({"token_budget": True}, "token_budget must be a whole number"),
        ({"half_life": 0}, "half_life must be from 0.01 to 36500"),
        ({"half_life": timedelta(seconds=1)}, "half_life must be"),
        ({"half_life": float("nan")}, "half_life must be"),
        ({"half_life": []}, "half_life must be a number, not list"),
        ({"language": 7}, "language must be a text"),
        ({"visibility": "public"}, "visibility must be one of private"),
        ({"weights": 1}, "weights must be a mapping"),
        ({"weights": {"meaning": -1}}, "weights.meaning must be from 0 to 10"),
        ({"weights": {"meaning": "1"}}, "weights.meaning must be a number"),
        ({"weights": {7: 1}}, "must be a text"),
        ({"weights": {None: 1}}, "a key that is None"),
        ({"retention": []}, "retention must be a mapping"),
        ({"retention": {"forever": True}}, "unknown setting 'retention.forever'"),
        ({"retention": {"max_age": 30}}, "retention.max_age must be a mapping"),
        ({"retention": {"max_age": {"memo": 30}}}, "unknown setting 'retention.max_age.memo'"),
        ({"retention": {"max_age": {"fact": 0}}}, "retention.max_age.fact must be from 1"),
        ({"retention": {"max_count": 1.5}}, "retention.max_count must be a whole number"),
    ],
)
def test_changes_that_are_refused(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidInputError) as failure:
        config_changes(given)
    assert reason in failure.value.message


def test_settings_make_a_configuration() -> None:
    values: dict[str, Any] = {
        "embedding_model": "m",
        "half_life": 30,
        "language": None,
        "limit": 10,
        "retention.max_age.fact": 9,
        "token_budget": 1200,
        "visibility": "agent",
        "weights.meaning": 1,
    }
    settings = [AgentSetting(name, value, "agent", None) for name, value in values.items()]
    config = agent_config("cook", settings)
    assert (config.agent_id, config.limit, config.language) == ("cook", 10, None)
    assert config.weights == {"meaning": 1}
    assert config.retention == Retention({"fact": 9}, None)
    assert config.settings == tuple(settings)
