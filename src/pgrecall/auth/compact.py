"""A token as it came, taken apart before anything in it is believed."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from pgrecall.auth.strict_json import strict_object
from pgrecall.errors import AuthenticationError

MAX_TOKEN_CHARACTERS = 16_384
ALGORITHMS = frozenset({"HS256", "RS256", "ES256", "EdDSA"})

_SEGMENT = "([A-Za-z0-9_-]+)"
_COMPACT = re.compile(rf"{_SEGMENT}\.{_SEGMENT}\.{_SEGMENT}")
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})

# Names and UUIDs, or standard base64, as the ids of Supabase's legacy secrets are, slash included.
_KEY_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}|[A-Za-z0-9+/]{14,128}={0,2}")


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """The three parts of a token; nothing of it is verified. `payload` is JSON if it is honest."""

    text: str
    algorithm: str
    key_id: str | None
    payload: bytes


def take_apart(token: object) -> UnverifiedToken:
    """A token in compact form, of an algorithm that is allowed.

    Of the header only `alg`, `kid` and `typ` are read: keys or addresses of keys that a token
    brings along (jwk, jku, x5c, x5u) are not looked at. What changes the meaning of the token
    (crit, b64) is refused. Raises AuthenticationError.
    """
    if not isinstance(token, str):
        raise AuthenticationError("the token is not a text")
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise AuthenticationError("the token is too long")
    parts = _COMPACT.fullmatch(token)
    if parts is None:
        raise AuthenticationError("the token does not have three parts of base64url")
    header, payload, _ = map(_decoded, parts.groups())
    algorithm, key_id = _checked_header(strict_object(header))
    return UnverifiedToken(token, algorithm, key_id, payload)


def _decoded(segment: str) -> bytes:
    try:
        decoded = urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError:
        raise AuthenticationError("a part of the token is not base64url") from None
    # One spelling of each token: the unused bits of the last character are zero.
    if urlsafe_b64encode(decoded).rstrip(b"=") != segment.encode():
        raise AuthenticationError("a part of the token is not canonical base64url")
    return decoded


def _checked_header(header: dict[str, object]) -> tuple[str, str | None]:
    algorithm, kind, key_id = header.get("alg"), header.get("typ", "JWT"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise AuthenticationError("the algorithm is not allowed")
    if "crit" in header or "b64" in header:
        raise AuthenticationError("the header has crit or b64")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise AuthenticationError("the header's typ is not JWT")
    if "kid" not in header:
        return algorithm, None
    if not isinstance(key_id, str) or not _KEY_ID.fullmatch(key_id):
        raise AuthenticationError("the kid does not look like one")
    return algorithm, key_id
