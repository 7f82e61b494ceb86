"""What waiting is made of, in its plain form; the twin, by hand, of _async/concurrency.py."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar
from weakref import WeakKeyDictionary

from pgrecall.telemetry.watch import Watch

Lock = threading.Lock
sleep = time.sleep

P = ParamSpec("P")
T = TypeVar("T")


class Watched(Protocol):
    """Whose operations are noted."""

    watch: Watch


class Flushing(Protocol):
    """What has something to write yet."""

    def flush(self) -> bool:
        """Write it."""


W = TypeVar("W", bound=Watched)
# By the process that they belong to: one that was forked off has copies of them.
_ENDING: WeakKeyDictionary[Flushing, int] = WeakKeyDictionary()


def in_thread(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """The work's answer: the caller's own thread waits for it."""
    return work(*args, **kwargs)


class Home:
    """The twin of the event loop: connections belong to no thread."""

    def check(self) -> None:
        """Any thread may use them."""


class Delayed:
    """Work that begins some seconds from now, unless it is cancelled before."""

    def __init__(self, seconds: float, work: Callable[[], None]) -> None:
        self._timer = threading.Timer(seconds, work)
        self._timer.daemon = True
        self._timer.start()

    def cancel(self) -> None:
        """Don't begin; what has begun goes on."""
        self._timer.cancel()


def at_end(flushing: Flushing) -> None:
    """Flush it when the process ends in order, unless it is gone by then."""
    if not _ENDING:
        # Now, not when this is imported: what is registered later is called earlier, and the
        # embedded server must still be there.
        atexit.unregister(_flush_all)
        atexit.register(_flush_all)
    _ENDING[flushing] = os.getpid()


def _flush_all() -> None:
    for flushing, process in list(_ENDING.items()):
        if process == os.getpid():
            flushing.flush()


def observed(
    operation: str,
) -> Callable[[Callable[Concatenate[W, P], T]], Callable[Concatenate[W, P], T]]:
    """Has the watch of a method's object note the method as that operation."""

    def decorate(method: Callable[Concatenate[W, P], T]) -> Callable[Concatenate[W, P], T]:
        @wraps(method)
        def run(self: W, /, *args: P.args, **kwargs: P.kwargs) -> T:
            with self.watch.operation(operation) as running:
                running.answer = answer = method(self, *args, **kwargs)
            return answer

        return run

    return decorate
