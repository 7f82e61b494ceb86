"""Memory does what every client must."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, cast

import pytest

from pgrecall import AsyncMemory, Memory
from pgrecall.testing import HashingEmbedder
from pgrecall.testing.conformance import AwaitedMemory, MemoryConformance
from pgrecall.testing.conformance.awaited import OpenMemory


class TestMemory(MemoryConformance):
    @pytest.fixture
    def open_memory(self, shared_dsn: str, organization: str) -> Iterator[OpenMemory]:
        with ExitStack() as stack:

            async def open_memory(**arguments: Any) -> AsyncMemory:
                given = {"organization": organization, "embedder": HashingEmbedder(), **arguments}
                memory = stack.enter_context(Memory(shared_dsn, **given))
                return cast(AsyncMemory, AwaitedMemory(memory))

            yield open_memory
