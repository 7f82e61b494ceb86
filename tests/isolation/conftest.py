"""One stage for all tests of a module: two organizations that look alike."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pgrecall.testing.databases import cloned
from tests.database.conftest import world
from tests.isolation.stage import Stage, staged

__all__ = ["world"]


@pytest.fixture(scope="module")
def stage(pgrecall_template: str) -> Iterator[Stage]:
    with cloned(pgrecall_template) as dsn, staged(dsn) as built:
        yield built
