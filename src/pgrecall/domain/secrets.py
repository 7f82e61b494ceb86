"""How to tell a secret from what may be public."""

from __future__ import annotations

import base64
import json
import re

# With the role that the API gives them: https://supabase.com/docs/guides/api/api-keys
_PUBLIC_ROLES = ("anon", "authenticated")
_PASSWORD_IN_URL = re.compile(r"^[a-z][a-z0-9+.-]*://[^/@\s:]*:[^/@\s]+@", re.IGNORECASE)
_PASSWORD_BY_NAME = re.compile(r"(^|[\s?&])password\s*=\s*[^\s&]", re.IGNORECASE)
_PREFIXES = {
    "sb_secret_": "is a secret key of Supabase",
    "sbp_": "is an access token of a Supabase account",
}
_PROVIDER_KEY = re.compile(r"sk-[A-Za-z0-9_-]{16,}")


def why_secret(name: str, value: str, known_secret: str | None) -> str | None:
    """Why a variable must not be public, as the end of "NAME …"; None if it may be."""
    value = value.strip()
    if known_secret and value and value == known_secret.strip():
        return "is the key of SUPABASE_SERVICE_ROLE_KEY"
    for prefix, reason in _PREFIXES.items():
        if value.startswith(prefix):
            return reason
    if _role(value) not in (None, *_PUBLIC_ROLES):
        return f"is a token of the role {_role(value)}"
    if _PASSWORD_IN_URL.match(value) or _PASSWORD_BY_NAME.search(value):
        return "is an address with a password"
    if _PROVIDER_KEY.fullmatch(value):
        return "is a key to a provider's API"
    return _why_by_name(name.upper())


def why_no_service_key(value: str) -> str | None:
    """Why a key can't be the service's, as the end of "NAME …"; None if it may be one."""
    value = value.strip()
    if value.startswith("sb_publishable_"):
        return "is a publishable key"
    if _role(value) in _PUBLIC_ROLES:
        return f"is a token of the role {_role(value)}"
    return None


def _why_by_name(name: str) -> str | None:
    if "SERVICE_ROLE" in name or "SECRET" in name:
        return "names a secret"
    return "is the address of the database" if name == "NEXT_PUBLIC_DATABASE_URL" else None


def _role(token: str) -> str | None:
    """The role that a JSON Web Token claims; None for anything else. Its signature is not read."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > 16_384:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return None
    role = claims.get("role") if isinstance(claims, dict) else None
    return role if isinstance(role, str) else None
