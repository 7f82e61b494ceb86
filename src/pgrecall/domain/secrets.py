"""How to tell a secret from what may be public."""

from __future__ import annotations

import base64
import binascii
import json
import re

_PASSWORD_IN_URL = re.compile(r"^[a-z][a-z0-9+.-]*://[^/@\s:]*:[^/@\s]+@", re.IGNORECASE)


def why_secret(name: str, value: str, known_secret: str | None) -> str | None:
    """Why a variable must not be public, as the end of "NAME …"; None if it may be."""
    value = value.strip()
    if known_secret and value == known_secret.strip():
        return "is the key of SUPABASE_SERVICE_ROLE_KEY"
    if value.startswith("sb_secret_"):
        return "is a secret key of Supabase"
    if _role(value) not in (None, "anon", "authenticated"):
        return f"is a token of the role {_role(value)}"
    if _PASSWORD_IN_URL.match(value):
        return "is an address with a password"
    if "SERVICE_ROLE" in name.upper() or "SECRET" in name.upper():
        return "names a secret"
    return None


def _role(token: str) -> str | None:
    """The role that a JSON Web Token claims; None for anything else."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > 16_384:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error):
        return None
    role = claims.get("role") if isinstance(claims, dict) else None
    return role if isinstance(role, str) else None
