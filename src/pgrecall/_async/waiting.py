"""What waiting is made of, in its asynchronous form; _sync/waiting.py, by hand, is its twin."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from pgrecall.errors import ConfigurationError

Lock = asyncio.Lock
sleep = asyncio.sleep

P = ParamSpec("P")
T = TypeVar("T")


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
