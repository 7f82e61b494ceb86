"""Which keys may verify a token, and with which one algorithm each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.algorithms import HMACAlgorithm
from jwt.exceptions import PyJWTError

from pgrecall.errors import ConfigurationError

MIN_SECRET_BYTES = 32
_SUPABASE_KEYS = ("sb_secret_", "sb_publishable_")
RSA_BITS = range(2048, 8193)

_ALGORITHM_OF = {("RSA", None): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}
_NOT_PUBLIC = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class KeyName(NamedTuple):
    """A key by its algorithm too, so that no token chooses how its key is used."""

    algorithm: str
    key_id: str


KeySet: TypeAlias = "Mapping[KeyName, PyJWK]"


class _UnusableKeyError(Exception):
    pass


def usable_keys(document: Mapping[str, object]) -> KeySet:
    """The keys of a JWKS document that can verify tokens; others in it are left out.

    Of several with the same name the first counts. Raises ValueError if it is no JWKS document.
    """
    found: dict[KeyName, PyJWK] = {}
    for jwk in _listed(document):
        try:
            name, key = _named_key(jwk)
        except _UnusableKeyError:
            continue
        found.setdefault(name, key)
    return found


def pinned_keys(document: Mapping[str, object]) -> KeySet:
    """The keys of a JWKS document, all of which must be usable and have names of their own.

    Raises ConfigurationError, which never holds key material.
    """
    try:
        pairs = [_named_key(jwk) for jwk in _listed(document)]
    except (_UnusableKeyError, ValueError) as error:
        raise ConfigurationError(f"keys: {error}") from None
    found = dict(pairs)
    if not found or len(found) != len(pairs):
        raise ConfigurationError("keys: there must be at least one, each with a kid of its own")
    return found


def checked_secret(secret: str) -> bytes:
    """The key of HS256, the secret's text as it is.

    Raises ConfigurationError for one that is short, a public key, or an API key of Supabase.
    """
    if not isinstance(secret, str):
        raise ConfigurationError("The secret for tokens is not a text")
    # Some of these keys are published, so whoever reads one could sign tokens.
    if secret.startswith(_SUPABASE_KEYS) or (secret[:3] == "eyJ" and secret.count(".") == 2):
        raise ConfigurationError(
            "The secret for tokens is an API key",
            hint="The JWT secret is shown in the project's settings under JWT keys.",
        )
    no_secret = ConfigurationError("The secret for tokens is a key pair's, or not text")
    # A JWK, which PyJWT refuses from 2.13 on.
    if secret.lstrip().startswith("{"):
        raise no_secret
    try:
        key = HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(secret.encode())
    except (PyJWTError, ValueError):
        raise no_secret from None
    if len(key) < MIN_SECRET_BYTES:
        raise ConfigurationError(f"The secret for tokens has less than {MIN_SECRET_BYTES} bytes")
    return key


def _listed(document: Mapping[str, object]) -> Iterable[object]:
    listed = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(listed, (list, tuple)):
        raise ValueError("not a JWKS document, an object with a list of keys")
    return listed


def _named_key(jwk: object) -> tuple[KeyName, PyJWK]:
    if not isinstance(jwk, Mapping):
        raise _UnusableKeyError("a key is not an object")
    key_id, algorithm = jwk.get("kid"), _algorithm(jwk)
    if not isinstance(key_id, str) or not key_id:
        raise _UnusableKeyError("a key has no kid")
    if not _NOT_PUBLIC.isdisjoint(jwk):
        raise _UnusableKeyError("a key is not public")
    uses = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or not isinstance(uses, list) or "verify" not in uses:
        raise _UnusableKeyError("a key is for something else than signatures")
    return KeyName(algorithm, key_id), _parsed(dict(jwk), algorithm)


def _algorithm(jwk: Mapping[str, object]) -> str:
    kind, curve = jwk.get("kty"), jwk.get("crv")
    known = _ALGORITHM_OF.get((str(kind), None if curve is None else str(curve)))
    if known is None or jwk.get("alg", known) != known:
        raise _UnusableKeyError("a key is not for RS256, ES256 (P-256) or EdDSA (Ed25519)")
    return known


def _parsed(jwk: dict[str, object], algorithm: str) -> PyJWK:
    try:
        key = PyJWK(jwk, algorithm)
    except (PyJWTError, ValueError, TypeError, KeyError, UnsupportedAlgorithm):
        raise _UnusableKeyError("a key can't be read") from None
    if isinstance(key.key, RSAPublicKey) and key.key.key_size not in RSA_BITS:
        raise _UnusableKeyError("an RSA key has less than 2048 bits, or more than 8192")
    return key
