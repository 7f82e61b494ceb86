"""What waiting is made of, in its plain form; the twin, by hand, of _async/concurrency.py."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable
from functools import wraps
from heapq import heappop, heappush
from itertools import count
from typing import Concatenate, Generic, ParamSpec, Protocol, TypeVar
from weakref import WeakKeyDictionary

from pgrecall.forks import renew_in_child
from pgrecall.telemetry.watch import Watch

LOG = logging.getLogger(__name__)

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


class Here(Generic[T]):
    """The twin of a value of each event loop: one of this process; a fork does not inherit it."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self.after_fork()
        renew_in_child(self)

    def after_fork(self) -> None:
        """Forget what belongs to the parent."""
        self._mutex = threading.Lock()
        self._values: list[T] = []

    def get(self) -> T:
        """The value, made when it is first asked for."""
        with self._mutex:
            if not self._values:
                self._values.append(self._make())
            return self._values[0]

    def take_all(self) -> list[T]:
        """The value, if there is one; from then on there is none."""
        with self._mutex:
            taken, self._values = self._values, []
            return taken


class Turn:
    """Somebody's place in a queue."""

    def __init__(self) -> None:
        self._called = threading.Event()

    def wait(self, seconds: float) -> None:
        """Wait until it is called, or for so long."""
        self._called.wait(seconds)

    def call(self) -> None:
        """Let who waits go on."""
        self._called.set()


class Delayed:
    """Work that begins some seconds from now, unless it is cancelled before."""

    def __init__(self, seconds: float, work: Callable[[], None]) -> None:
        self.work: Callable[[], None] | None = work
        _TIMETABLE.add(time.monotonic() + seconds, self)

    def cancel(self) -> None:
        """Don't begin; what has begun goes on."""
        self.work = None


class _Timetable:
    """All that is delayed in this process, done one after the other by a thread of its own."""

    def __init__(self) -> None:
        self.after_fork()
        renew_in_child(self)

    def after_fork(self) -> None:
        """Leave to the parent what it is about to do."""
        self._changed = threading.Condition()
        self._entries: list[tuple[float, int, Delayed]] = []
        self._numbers = count()
        self._has_thread = False

    def add(self, at: float, delayed: Delayed) -> None:
        """Have it done at that time, by time.monotonic()."""
        with self._changed:
            heappush(self._entries, (at, next(self._numbers), delayed))
            self._changed.notify()
            if not self._has_thread:
                threading.Thread(target=self._run, name="pgrecall-later", daemon=True).start()
                self._has_thread = True

    def _run(self) -> None:
        while True:
            work = self._next().work
            try:
                if work is not None:
                    work()
            except Exception:
                LOG.exception("something that was delayed failed")

    def _next(self) -> Delayed:
        with self._changed:
            while True:
                seconds = self._entries[0][0] - time.monotonic() if self._entries else None
                if seconds is not None and seconds <= 0:
                    return heappop(self._entries)[2]
                self._changed.wait(seconds)


_TIMETABLE = _Timetable()


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
