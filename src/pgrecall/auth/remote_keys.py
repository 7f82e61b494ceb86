"""Keys that an issuer publishes, fetched when they are needed and kept for a while.

PyJWT's own client does not limit an answer's size, knows no outage (its cache just ends), asks
again at once after a failure, and lets all threads wait while one of them fetches.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from http.client import HTTPException
from threading import Lock

from jwt import PyJWK

from pgrecall.auth.fetch import TIMEOUT, fetch
from pgrecall.auth.freshness import FetchedKeys
from pgrecall.auth.keys import KeyName, usable_keys
from pgrecall.auth.strict_json import strict_object
from pgrecall.errors import AuthenticationError
from pgrecall.forks import renew_in_child

_log = logging.getLogger(__name__)


class RemoteKeys:
    """The keys of one JWKS address; safe to share between threads.

    At most one thread fetches at a time. Others go on with the keys that there are, and wait,
    for a bounded time, only if they need one that is not there. `clock` gives seconds.
    """

    def __init__(self, address: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.address = address
        self._clock = clock
        self._fetched = FetchedKeys()
        self.after_fork()
        renew_in_child(self)

    def after_fork(self) -> None:
        """Go on with the keys that there are."""
        self._lock = Lock()

    def get(self, name: KeyName) -> PyJWK:
        """The key of a name, fetched if need be; AuthenticationError if there is none."""
        now = self._clock()
        if self._fetched.wants_fetch(name, now):
            can_wait = not self._fetched.has(name, now)
            if self._lock.acquire(timeout=2 * TIMEOUT if can_wait else 0):
                try:
                    self._refresh(name)
                finally:
                    self._lock.release()
        return self._fetched.get(name, self._clock())

    def _refresh(self, name: KeyName) -> None:
        # Another thread may just have fetched, while this one waited for the lock.
        if not self._fetched.wants_fetch(name, self._clock()):
            return
        try:
            keys = usable_keys(strict_object(fetch(self.address)))
            self._fetched = FetchedKeys(keys, fetched_at=self._clock())
            if not keys:
                _log.warning("%s has no keys that verify tokens", self.address)
        except AuthenticationError as error:
            _log.warning("%s: %s", self.address, error.reason)
        except (OSError, HTTPException, ValueError) as error:
            _log.warning("keys could not be fetched from %s: %r", self.address, error)
        finally:
            self._fetched = replace(self._fetched, tried_at=self._clock())
