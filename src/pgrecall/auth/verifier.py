"""Verification of the tokens of one issuer."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import UnsupportedAlgorithm
from jwt import PyJWK, PyJWS
from jwt.exceptions import PyJWTError

from pgrecall.auth.address import checked_address
from pgrecall.auth.claims import Claims, checked_claims
from pgrecall.auth.compact import UnverifiedToken, take_apart
from pgrecall.auth.keys import KeyName, KeySet, checked_secret, pinned_keys
from pgrecall.auth.remote_keys import RemoteKeys
from pgrecall.auth.strict_json import strict_object
from pgrecall.errors import AuthenticationError, ConfigurationError
from pgrecall.settings import Settings

_log = logging.getLogger(__name__)

# What the libraries below may raise for a token that nobody foresaw.
_UNFORESEEN = (
    UnsupportedAlgorithm,
    ValueError,
    TypeError,
    KeyError,
    RecursionError,
    OverflowError,
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Verifier:
    """Verifies the tokens of one issuer for one audience.

    Keys are pinned (`keys`, a JWKS document) or published by the issuer (`jwks_url`), for RS256,
    ES256 and EdDSA; `secret` is for HS256 and for nothing else, alone or beside them. Published
    keys are kept for 10 minutes, and up to an hour while the issuer can't be reached, so keep the
    verifier. Raises ConfigurationError.
    """

    issuer: str
    audience: str = "authenticated"
    keys: Mapping[str, object] | None = field(default=None, repr=False)
    jwks_url: str | None = None
    secret: str | None = field(default=None, repr=False)
    _pinned: KeySet = field(init=False, repr=False)
    _remote: RemoteKeys | None = field(init=False, repr=False)
    _secret: bytes | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("issuer", "audience"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                raise ConfigurationError(f"{name} must be a text")
        if self.keys is not None and self.jwks_url is not None:
            raise ConfigurationError("keys and jwks_url exclude each other")
        if self.keys is None and self.jwks_url is None and self.secret is None:
            raise ConfigurationError("keys, jwks_url or secret must be given")
        self._set("_pinned", {} if self.keys is None else pinned_keys(self.keys))
        self._set("_remote", _remote_keys(self.jwks_url))
        self._set("_secret", None if self.secret is None else checked_secret(self.secret))

    @classmethod
    def for_supabase(
        cls, url: str, *, legacy_secret: str | None = None, audience: str = "authenticated"
    ) -> Verifier:
        """The verifier of a Supabase project, by its address and, if it still signs with it, its
        legacy JWT secret. Raises ConfigurationError."""
        issuer = checked_address("The address of the Supabase project", url).rstrip("/")
        issuer = f"{issuer}/auth/v1"
        keys = f"{issuer}/.well-known/jwks.json"
        return cls(issuer=issuer, audience=audience, jwks_url=keys, secret=legacy_secret)

    @classmethod
    def from_settings(cls, settings: Settings) -> Verifier:
        """The verifier of the Supabase project that the settings name, else ConfigurationError."""
        if settings.supabase_url is None:
            raise ConfigurationError(
                "Tokens can't be verified: no Supabase project is set",
                hint="Set NEXT_PUBLIC_SUPABASE_URL.",
            )
        secret = settings.supabase_jwt_secret
        legacy_secret = None if secret is None else secret.get_secret_value()
        return cls.for_supabase(settings.supabase_url, legacy_secret=legacy_secret)

    def verify(self, token: str) -> Claims:
        """The claims of a valid token. It may fetch keys, which takes seconds at worst.

        Raises AuthenticationError, always with the same message; its `reason` goes to the log.
        """
        try:
            return self._verified(token)
        except AuthenticationError as error:
            reason = error.reason
        except _UNFORESEEN as error:
            reason = f"unforeseen {type(error).__name__}"
        _log.info("token refused: %s", reason)
        # Outside the blocks above, so that no traceback leads to what the token held.
        raise AuthenticationError(reason)

    async def verify_async(self, token: str) -> Claims:
        """`verify` in a thread."""
        return await asyncio.to_thread(self.verify, token)

    def _verified(self, token: str) -> Claims:
        taken = take_apart(token)
        key = self._key(taken)
        _check_signature(taken, key)
        return checked_claims(strict_object(taken.payload), self.issuer, self.audience, time.time())

    def _key(self, token: UnverifiedToken) -> PyJWK | bytes:
        if token.algorithm == "HS256":
            if self._secret is None:
                raise AuthenticationError("signed with a secret, and none is configured")
            return self._secret
        if token.key_id is None:
            raise AuthenticationError("the header has no kid")
        name = KeyName(token.algorithm, token.key_id)
        if self._remote is not None:
            return self._remote.get(name)
        if name not in self._pinned:
            raise AuthenticationError("no pinned key has the token's kid and alg")
        return self._pinned[name]

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)


def _remote_keys(address: str | None) -> RemoteKeys | None:
    return None if address is None else RemoteKeys(checked_address("jwks_url", address))


def _check_signature(token: UnverifiedToken, key: PyJWK | bytes) -> None:
    try:
        PyJWS().decode_complete(token.text, key, algorithms=[token.algorithm])
    except PyJWTError:
        raise AuthenticationError("the signature does not hold") from None
