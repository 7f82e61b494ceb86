"""What waiting is made of, in its plain form; the twin, by hand, of _async/waiting.py."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

Lock = threading.Lock
sleep = time.sleep

P = ParamSpec("P")
T = TypeVar("T")


def in_thread(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """The work's answer: the caller's own thread waits for it."""
    return work(*args, **kwargs)


class Home:
    """The twin of the event loop: connections belong to no thread."""

    def check(self) -> None:
        """Any thread may use them."""
