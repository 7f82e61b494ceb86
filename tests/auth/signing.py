"""Real keys, and tokens signed with them, honest or not."""

from __future__ import annotations

import json
import time
import uuid
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pgrecall.auth import Verifier
from pgrecall.errors import AuthenticationError

ISSUER = "https://project.supabase.co/auth/v1"
SECRET = "a-legacy-secret-of-more-than-thirty-two-characters"
ORGANIZATION = "0190a2c4-7b1e-7c3a-9f10-2b8c5d6e7f80"


@dataclass(frozen=True)
class SigningKey:
    """A private key, or a secret, and how it signs."""

    algorithm: str
    key_id: str
    private: Any

    def jwk(self, **changes: object) -> dict[str, object]:
        algorithm = jwt.get_algorithm_by_name(self.algorithm)
        public = algorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**public, "kid": self.key_id, "alg": self.algorithm, "use": "sig", **changes}

    def sign(self, payload: object, **header: object) -> str:
        """A token; a header that is None is left out, and a payload of bytes is taken as it is."""
        whole = {"alg": self.algorithm, "kid": self.key_id, "typ": "JWT", **header}
        return self.sign_text(written({k: v for k, v in whole.items() if v is not None}), payload)

    def sign_text(self, header: bytes, payload: object) -> str:
        signed = encoded(header) + "." + encoded(written(payload))
        algorithm = jwt.get_algorithm_by_name(self.algorithm)
        return signed + "." + encoded(algorithm.sign(signed.encode(), self.private))


def written(value: object) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def encoded(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def rsa_key(key_id: str = "rsa-1", bits: int = 2048) -> SigningKey:
    return SigningKey("RS256", key_id, rsa.generate_private_key(65537, bits))


def ec_key(key_id: str = "ec-1") -> SigningKey:
    return SigningKey("ES256", key_id, ec.generate_private_key(ec.SECP256R1()))


def p384_key(key_id: str = "ec-1") -> SigningKey:
    return SigningKey("ES384", key_id, ec.generate_private_key(ec.SECP384R1()))


def ed_key(key_id: str = "ed-1") -> SigningKey:
    return SigningKey("EdDSA", key_id, ed25519.Ed25519PrivateKey.generate())


def ed448_key(key_id: str = "ed-1") -> SigningKey:
    return SigningKey("EdDSA", key_id, ed448.Ed448PrivateKey.generate())


RSA, EC, ED = rsa_key(), ec_key(), ed_key()
LEGACY = SigningKey("HS256", "hEJ9/4sJqXwXcGQn", SECRET.encode())
KEYS = (RSA, EC, ED, LEGACY)


def public_texts() -> list[bytes]:
    """RSA's public key in the forms in which it could be taken for a secret."""
    public = RSA.private.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return [pem, pem.strip(), der, json.dumps(RSA.jwk()).encode()]


def document(*keys: SigningKey) -> dict[str, object]:
    return {"keys": [key.jwk() for key in keys]}


def pinned() -> Verifier:
    """A verifier of all of KEYS."""
    return Verifier(issuer=ISSUER, keys=document(RSA, EC, ED), secret=SECRET)


def payload(**changes: object) -> dict[str, object]:
    """What Supabase puts into an access token; a change to `...` leaves the claim out."""
    now = int(time.time())
    claims: dict[str, object] = {
        "iss": ISSUER,
        "aud": "authenticated",
        "exp": now + 3600,
        "iat": now,
        "sub": str(uuid.uuid4()),
        "role": "authenticated",
        "aal": "aal1",
        "session_id": str(uuid.uuid4()),
        "email": "maria@example.org",
        "phone": "",
        "is_anonymous": False,
        "app_metadata": {"provider": "email", "organization_id": ORGANIZATION},
        "user_metadata": {},
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not ...}


def refusal(verifier: Verifier, token: Any) -> str:
    """The reason for which a token is refused; the error says nothing else to anybody."""
    try:
        claims = verifier.verify(token)
    except AuthenticationError as error:
        assert (str(error), error.hint, error.code) == ("the token is not valid", None, "PM009")
        assert error.__cause__ is None
        assert error.__context__ is None
        return error.reason
    raise AssertionError(f"accepted: {claims!r}")
