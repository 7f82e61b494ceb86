"""Claims that are signed, for databases that require it (agent_memory.require_signed_claims)."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field

SECONDS = 60


@dataclass(frozen=True, slots=True)
class Signature:
    """The signature of claims, hexadecimal, and until when it is good, in seconds since 1970.

    Both are empty where nothing is signed.
    """

    expires_at: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs claims for a minute with a secret of at least 32 bytes; without one not at all."""

    secret: bytes | None = field(default=None, repr=False)

    def sign(self, claims: str) -> Signature:
        """SHA-256 of the secret and the SHA-256 of secret, expiry and claims.

        The same as the SQL function agent_memory.claim_signature.
        """
        if self.secret is None:
            return Signature()
        expires_at = str(int(time.time()) + SECONDS)
        inner = hashlib.sha256(self.secret + f"{expires_at}\n{claims}".encode()).digest()
        return Signature(expires_at, hashlib.sha256(self.secret + inner).hexdigest())
