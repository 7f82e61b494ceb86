"""Organizations to move memories between, and what is in them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from pgrecall import Memory
from pgrecall.testing import cloned
from tests.cli.conftest import Shell

Rows = list[dict[str, Any]]
# Of a database, not of a memory.
LOCAL = {"organization_id", "context_id", "updated_at"}


@pytest.fixture(scope="session")
def transfer_dsn(pgrecall_template: str) -> Iterator[str]:
    """A database for tests that keep to organizations of their own."""
    with cloned(pgrecall_template) as dsn:
        yield dsn


@pytest.fixture
def opened(transfer_dsn: str) -> Iterator[Callable[..., Memory]]:
    """Opens memories, each in an organization of its own unless one is named."""
    with ExitStack() as stack:

        def open_memory(**options: Any) -> Memory:
            options = {"organization": uuid.uuid4(), "embedder": None, **options}
            return stack.enter_context(Memory(transfer_dsn, **options))

        yield open_memory


def carried(memory: Memory) -> Rows:
    """All that an export has of memories, but for what is of their database."""
    return [
        {name: value for name, value in row.items() if name not in LOCAL}
        for row in memory.transfer.export()
    ]


@pytest.fixture
def shell(pgrecall_dsn: str) -> Shell:
    """pgrecall on an empty database, without an embedder."""
    return Shell({"DATABASE_URL": pgrecall_dsn, "PGRECALL_EMBEDDER": "none"})
