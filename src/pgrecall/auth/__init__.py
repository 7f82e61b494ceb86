"""Tokens of users: `auth.verify(token)` gives the claims for `Memory(claims=…)`."""

from __future__ import annotations

from pgrecall.auth.claims import Claims
from pgrecall.auth.configuration import configured_verifier, verify, verify_async
from pgrecall.auth.verifier import Verifier
from pgrecall.errors import AuthenticationError

__all__ = [
    "AuthenticationError",
    "Claims",
    "Verifier",
    "configured_verifier",
    "verify",
    "verify_async",
]
