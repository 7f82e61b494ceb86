"""Wait for something that other processes do."""

from __future__ import annotations

import time
from collections.abc import Callable

_POLL_SECONDS = 0.005


def wait_until(seconds: float, is_done: Callable[[], bool]) -> bool:
    """Look again and again for up to `seconds`; return whether it came true."""
    deadline = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
