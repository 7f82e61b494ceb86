"""What waiting is made of, in its asynchronous form; _sync/concurrency.py, by hand, is its twin."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar
from weakref import WeakKeyDictionary

from pgrecall.forks import renew_in_child
from pgrecall.telemetry.watch import Watch

Lock = asyncio.Lock
sleep = asyncio.sleep

P = ParamSpec("P")
T = TypeVar("T")


class Watched(Protocol):
    """Whose operations are noted."""

    watch: Watch


W = TypeVar("W", bound=Watched)


async def in_thread(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """The work's answer, the event loop meanwhile free."""
    return await asyncio.to_thread(work, *args, **kwargs)


class Here(Generic[T]):
    """A value of each event loop, made when it is first asked for; a fork inherits none."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self.after_fork()
        renew_in_child(self)

    def after_fork(self) -> None:
        """Forget what belongs to the parent."""
        self._mutex = threading.Lock()
        self._values: WeakKeyDictionary[asyncio.AbstractEventLoop, T] = WeakKeyDictionary()

    def get(self) -> T:
        """The value of the running loop."""
        loop = asyncio.get_running_loop()
        with self._mutex:
            if loop not in self._values:
                self._values[loop] = self._make()
            return self._values[loop]

    def take_all(self) -> list[T]:
        """All values; from then on there are none."""
        with self._mutex:
            taken = list(self._values.values())
            self._values.clear()
            return taken


class Turn:
    """Somebody's place in a queue."""

    def __init__(self) -> None:
        self._called: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def wait(self, seconds: float) -> None:
        """Wait until it is called, or for so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._called

    def call(self) -> None:
        """Let who waits go on, in whichever loop that is; a loop that has ended waits no more."""
        with suppress(RuntimeError):
            self._called.get_loop().call_soon_threadsafe(self._call)

    def _call(self) -> None:
        if not self._called.done():
            self._called.set_result(None)


class Delayed:
    """Work that begins some seconds from now, unless it is cancelled before."""

    def __init__(self, seconds: float, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._work = work
        self._task: asyncio.Task[None] | None = None
        self._handle = asyncio.get_running_loop().call_later(seconds, self._begin)

    def cancel(self) -> None:
        """Don't begin; what has begun goes on."""
        self._handle.cancel()

    def _begin(self) -> None:
        self._task = asyncio.create_task(self._work())


def at_end(_flushing: object) -> None:
    """Nothing: when the process ends, the event loop is gone."""


def observed(
    operation: str,
) -> Callable[
    [Callable[Concatenate[W, P], Coroutine[Any, Any, T]]],
    Callable[Concatenate[W, P], Coroutine[Any, Any, T]],
]:
    """Has the watch of a method's object note the method as that operation."""

    def decorate(
        method: Callable[Concatenate[W, P], Coroutine[Any, Any, T]],
    ) -> Callable[Concatenate[W, P], Coroutine[Any, Any, T]]:
        @wraps(method)
        async def run(self: W, /, *args: P.args, **kwargs: P.kwargs) -> T:
            with self.watch.operation(operation) as running:
                running.answer = answer = await method(self, *args, **kwargs)
            return answer

        return run

    return decorate
