"""The verifier of this process, from the settings."""

from __future__ import annotations

from functools import cache
from threading import Lock

from pgrecall.auth.claims import Claims
from pgrecall.auth.verifier import Verifier
from pgrecall.forks import renew_in_child
from pgrecall.settings import Settings


@cache
def _configured() -> Verifier:
    return Verifier.from_settings(Settings())


class _Turns:
    """Lets one thread at a time read the settings, so that there is one verifier."""

    def __init__(self) -> None:
        self.after_fork()
        renew_in_child(self)

    def after_fork(self) -> None:
        self.lock = Lock()


_TURNS = _Turns()


def configured_verifier() -> Verifier:
    """The verifier of the Supabase project in the settings, which are read once per process.

    Raises ConfigurationError.
    """
    with _TURNS.lock:
        return _configured()


def verify(token: str) -> Claims:
    """The claims of a token of the Supabase project in the settings; it may fetch keys.

    Raises AuthenticationError for the token and ConfigurationError for the settings.
    """
    return configured_verifier().verify(token)


async def verify_async(token: str) -> Claims:
    """`verify` in a thread."""
    return await configured_verifier().verify_async(token)
