"""AsyncMemory does what every client must."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from pgrecall import AsyncMemory
from pgrecall.testing import HashingEmbedder
from pgrecall.testing.conformance import MemoryConformance
from pgrecall.testing.conformance.awaited import OpenMemory


class TestAsyncMemory(MemoryConformance):
    @pytest.fixture
    async def open_memory(self, shared_dsn: str, organization: str) -> AsyncIterator[OpenMemory]:
        async with AsyncExitStack() as stack:

            async def open_memory(**arguments: Any) -> AsyncMemory:
                given = {"organization": organization, "embedder": HashingEmbedder(), **arguments}
                return await stack.enter_async_context(AsyncMemory(shared_dsn, **given))

            yield open_memory
