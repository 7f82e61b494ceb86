"""When fetched keys are fetched again, and for how long they serve. Times are in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from jwt import PyJWK

from pgrecall.auth.keys import KeyName, KeySet
from pgrecall.errors import AuthenticationError

FRESH_FOR = 600.0
# While the issuer can't be reached, its last answer serves on: an outage there is none here.
SERVES_FOR = 3600.0
# Unknown names are free for anybody to send, so they don't set the pace of fetching.
PAUSE = 30.0
PAUSE_WITHOUT_KEYS = 5.0


@dataclass(frozen=True, slots=True)
class FetchedKeys:
    """The last answer of the issuer, when it came, and when it was last asked."""

    keys: KeySet | None = None
    fetched_at: float = -inf
    tried_at: float = -inf

    def serves(self, now: float) -> bool:
        """Whether these keys may be used."""
        return self.keys is not None and now < self.fetched_at + SERVES_FOR

    def has(self, name: KeyName, now: float) -> bool:
        """Whether a key may be used and is there."""
        return self.serves(now) and name in (self.keys or {})

    def wants_fetch(self, name: KeyName, now: float) -> bool:
        """Whether to ask the issuer before a key is looked up."""
        if self.has(name, now) and now < self.fetched_at + FRESH_FOR:
            return False
        return now >= self.tried_at + (PAUSE if self.serves(now) else PAUSE_WITHOUT_KEYS)

    def get(self, name: KeyName, now: float) -> PyJWK:
        """The key of a name; AuthenticationError if there is none."""
        if self.keys is None or not self.serves(now):
            raise AuthenticationError("the issuer's keys could not be fetched")
        if not self.keys:
            raise AuthenticationError(
                "the issuer publishes no keys: a project that still signs with its legacy secret"
            )
        if name not in self.keys:
            raise AuthenticationError("the issuer publishes no key with the token's kid and alg")
        return self.keys[name]
