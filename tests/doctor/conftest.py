"""A healthy database, and what this server has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.doctor.databases import abilities_of, healthy_database


@pytest.fixture(scope="session")
def healthy(pgrecall_template: str) -> Iterator[str]:
    """A migrated database with memories; nobody should be connected to it."""
    with healthy_database(pgrecall_template) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def abilities(pgrecall_server: str) -> frozenset[str]:
    """What faults may need."""
    return abilities_of(pgrecall_server)
