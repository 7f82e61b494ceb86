"""What a payload must say, once its signature is verified."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from uuid import UUID

from pgrecall.errors import AuthenticationError

MAX_LIFETIME = 86_400
MAX_SUBJECT_CHARACTERS = 255

# Seconds by which the issuer's clock may be ahead of ours. An expired token gets none.
LEEWAY = 10

_ORGANIZATION = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Claims(Mapping[str, object]):
    """The payload of a verified token, for `Memory(claims=…)`.

    It can't be changed: objects and lists in it are given out as copies. Its repr shows neither
    mail addresses nor metadata. Only a Verifier should make one.
    """

    __slots__ = ("_organization_id", "_payload")

    def __init__(self, payload: Mapping[str, object], organization_id: UUID | None) -> None:
        self._payload = deepcopy(dict(payload))
        self._organization_id = organization_id

    @property
    def subject(self) -> str:
        """The user's id."""
        return str(self._payload["sub"])

    @property
    def organization_id(self) -> UUID | None:
        """The organization that the token names; None if it names none.

        Whether the user belongs to it is for the database to say, with each statement.
        """
        return self._organization_id

    def __getitem__(self, name: str) -> object:
        return deepcopy(self._payload[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._payload)

    def __len__(self) -> int:
        return len(self._payload)

    def __repr__(self) -> str:
        return f"Claims(subject={self.subject!r}, organization_id={self._organization_id!r})"


def checked_claims(payload: Mapping[str, object], issuer: str, audience: str, now: float) -> Claims:
    """The claims of a payload whose signature is verified; `now` is in seconds since 1970.

    Raises AuthenticationError.
    """
    if payload.get("iss") != issuer:
        raise AuthenticationError("the issuer is another")
    # A token that is also for somebody else could be replayed by them.
    if payload.get("aud") not in (audience, [audience]):
        raise AuthenticationError("the audience is not ours alone")
    if payload.get("role") != "authenticated":
        raise AuthenticationError("the role is not authenticated")
    _check_times(payload, now)
    _check_subject(payload.get("sub"))
    return Claims(payload, claimed_organization(payload))


def claimed_organization(payload: Mapping[str, object]) -> UUID | None:
    """The organization that a payload names, in the order of agent_memory.claimed_organization.

    Raises AuthenticationError if it is anything but a UUID in lower case, null included.
    """
    metadata = payload.get("app_metadata")
    if metadata is not None and not isinstance(metadata, Mapping):
        raise AuthenticationError("app_metadata is not an object")
    places = (
        (metadata or {}, "organization_id"),
        (payload, "organization_id"),
        (payload, "org_id"),
    )
    for place, name in places:
        if name in place:
            return _organization(place[name])
    return None


def _organization(claimed: object) -> UUID:
    if not isinstance(claimed, str) or not _ORGANIZATION.fullmatch(claimed):
        raise AuthenticationError("the organization is not a UUID in lower case")
    return UUID(claimed)


def _check_subject(subject: object) -> None:
    if not isinstance(subject, str) or not 1 <= len(subject) <= MAX_SUBJECT_CHARACTERS:
        raise AuthenticationError("the subject is missing, not a text, empty or too long")
    if subject.startswith("agent:"):
        raise AuthenticationError("the subject is a program's")


def _check_times(payload: Mapping[str, object], now: float) -> None:
    expires = _seconds(payload, "exp")
    if expires is None:
        raise AuthenticationError("exp is missing")
    if expires <= now:
        raise AuthenticationError("the token has expired")
    issued = _seconds(payload, "iat")
    if issued is not None and issued > now + LEEWAY:
        raise AuthenticationError("the token was issued in the future")
    if expires > (now if issued is None else issued) + MAX_LIFETIME:
        raise AuthenticationError("the token lives for too long")
    begins = _seconds(payload, "nbf")
    if begins is not None and begins > now + LEEWAY:
        raise AuthenticationError("the token is not valid yet")


def _seconds(payload: Mapping[str, object], name: str) -> float | None:
    if name not in payload:
        return None
    value = payload[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise AuthenticationError(f"{name} is not a number")
    return value
