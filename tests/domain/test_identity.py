"""Who a client acts as."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from pgrecall.domain.identity import identity, organization_uuid
from pgrecall.errors import InvalidInputError


def test_a_name_gives_the_same_organization_for_ever() -> None:
    assert organization_uuid("default") == UUID("a5f5bff5-fcb6-5257-b0ad-b534df9ed7b0")
    assert organization_uuid("Default") != organization_uuid("default")


def test_a_uuid_is_used_as_it_is() -> None:
    given = uuid4()
    assert organization_uuid(given) == organization_uuid(str(given).upper()) == given
    assert organization_uuid(given.hex) != given


def test_without_claims_it_is_the_agents_own_member() -> None:
    who = identity("default", "cook", None)
    claims = json.loads(who.claims)
    assert claims["sub"] == "agent:cook"
    assert claims["app_metadata"] == {"organization_id": str(who.organization_id)}
    assert (who.is_program, who.person) == (True, None)


def test_claims_are_used_as_they_are() -> None:
    claims = {"sub": "maria", "email": "m@example.org"}
    who = identity("default", "cook", claims)
    assert json.loads(who.claims) == claims
    assert (who.is_program, who.person) == (False, "maria")
    assert identity("default", "cook", {"sub": "agent:cook"}).person is None
    assert identity("default", "cook", {}).person is None


@pytest.mark.parametrize(
    "arguments",
    [
        ("", "cook", None),
        ("default", "", None),
        ("default", "x" * 250, None),
        ("x" * 201, "cook", None),
        ("a\x00", "cook", None),
        (None, "cook", None),
        ("default", None, None),
        ("default", "cook", "maria"),
        ("default", "cook", {"exp": float("nan")}),
        ("default", "cook", {"exp": object()}),
    ],
)
def test_what_is_refused(arguments: Any) -> None:
    with pytest.raises(InvalidInputError):
        identity(*arguments)
