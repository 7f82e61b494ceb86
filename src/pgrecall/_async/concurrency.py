"""What waiting is made of, in its asynchronous form; _sync/concurrency.py, by hand, is its twin."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from pgrecall.errors import ConfigurationError
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


class Home:
    """The event loop that connections belong to."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def check(self) -> None:
        """Raises ConfigurationError in another loop, where waiting for a connection never ends."""
        if asyncio.get_running_loop() is not self._loop:
            raise ConfigurationError(
                "this AsyncMemory was opened in another event loop",
                hint="Open one in each loop, or use Memory.",
            )


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
