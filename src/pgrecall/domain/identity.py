"""Who a client acts as: the organization's id and the claims of a transaction."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid5

from pgrecall.domain.text import identifier
from pgrecall.errors import InvalidInputError

# Fixed for good: an organization's name gives the same id in every process and release.
NAMESPACE = UUID("5b0c7a52-6c0e-5d3c-9a55-2f6a1f7d0c11")

_UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller of every transaction of a client.

    `claims` is the JSON that goes into request.jwt.claims. `is_program` says whether it is the
    agent's own member, which a trusted connection may create, or somebody whose token was given;
    `person` is the user_id of a person whose token was given, `program` the agent_id of whatever
    program the claims name.
    """

    organization_id: UUID
    organization_name: str
    agent_id: str
    claims: str
    is_program: bool
    person: str | None
    program: str | None

    def given_claims(self) -> dict[str, object] | None:
        """The claims that were given, or None where it acts as the agent's own member."""
        given: dict[str, object] = json.loads(self.claims)
        return None if self.is_program else given


def organization_uuid(organization: str | UUID) -> UUID:
    """A UUID, or its usual text of 36 characters, as it is; any other name by RFC 9562's v5."""
    if isinstance(organization, UUID):
        return organization
    return UUID(organization) if _UUID.fullmatch(organization) else uuid5(NAMESPACE, organization)


def identity(
    organization: str | UUID, agent_id: str, claims: Mapping[str, object] | None
) -> Identity:
    """The identity of a client; with `claims`, those as they are, else the agent's own."""
    # A member's user_id, `agent:` and the agent_id, has up to 255 characters.
    agent = identifier("agent_id", agent_id, 249)
    given = str(organization) if isinstance(organization, UUID) else organization
    name = identifier("organization", given, 200)
    if agent is None or name is None:
        raise InvalidInputError("agent_id and organization must be given")
    organization_id = organization_uuid(organization)
    if claims is None:
        own = _written(agent_claims(organization_id, agent))
        return Identity(
            organization_id, name, agent, own, is_program=True, person=None, program=agent
        )
    written, (person, program) = _written(claims), _subject(claims)
    return Identity(
        organization_id, name, agent, written, is_program=False, person=person, program=program
    )


def agent_claims(organization_id: UUID, agent_id: str) -> dict[str, object]:
    """The claims under which an agent acts as its own member of an organization."""
    return {
        "sub": f"agent:{agent_id}",
        "role": "authenticated",
        "app_metadata": {"organization_id": str(organization_id)},
    }


def _subject(claims: Mapping[str, object]) -> tuple[str | None, str | None]:
    """The person and the program that the subject is; at least one of them is None."""
    subject = claims.get("sub")
    if not isinstance(subject, str):
        return None, None
    if subject.startswith("agent:"):
        return None, subject.removeprefix("agent:") or None
    return subject, None


def _written(claims: Mapping[str, object]) -> str:
    if not isinstance(claims, Mapping):
        raise InvalidInputError(f"claims must be a mapping, not {type(claims).__name__}")
    try:
        return json.dumps(dict(claims), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"claims must be JSON: {error}") from None
