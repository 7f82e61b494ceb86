"""What the conformance suite needs besides a client."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from functools import partial
from uuid import UUID

import pytest

from pgrecall.testing import add_member, cloned
from tests.abilities import stores_vectors


@pytest.fixture(scope="session")
def shared_dsn(pgrecall_template: str) -> Iterator[str]:
    """A database for tests that keep to an organization of their own."""
    with cloned(pgrecall_template) as dsn:
        yield dsn


@pytest.fixture
def organization() -> str:
    """The name of an organization that no other test uses."""
    return f"test {uuid.uuid4()}"


@pytest.fixture(name="add_member")
def add_member_fixture(shared_dsn: str) -> Callable[[UUID, str, str], None]:
    """Makes somebody a member of an organization."""
    return partial(add_member, shared_dsn)


@pytest.fixture(scope="session")
def has_vector(shared_dsn: str) -> bool:
    """Whether the test's server stores vectors."""
    return stores_vectors(shared_dsn)
