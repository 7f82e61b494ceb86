"""A plain client in the clothes of an asynchronous one; each call runs in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from pgrecall._async.memory import AsyncMemory


class OpenMemory(Protocol):
    """Opens a client for a test; what is not said is as the suite's docstring says."""

    async def __call__(self, **arguments: Any) -> AsyncMemory:
        """The client, opened."""


class AwaitedMemory:
    """Gives each method of a plain object awaited, and its other attributes as they are.

    `plain` names the methods that don't wait; what they return is dressed in the same way.
    """

    def __init__(self, inner: object, plain: tuple[str, ...] = ("context",)) -> None:
        self._inner = inner
        self._plain = plain

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found
        if name in self._plain:
            return lambda *args, **kwargs: AwaitedMemory(found(*args, **kwargs))
        return _awaited(found)


def _awaited(call: Callable[..., Any]) -> Callable[..., Any]:
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        return await asyncio.to_thread(call, *args, **kwargs)

    return awaited
