"""The library signs its claims where the database wants it."""

from __future__ import annotations

import psycopg
import pytest
from pytest import RaisesExc

from pgrecall import Memory
from pgrecall.errors import NoOrganizationError
from pgrecall.settings import Settings

SECRET = "a secret of at least thirty-two bytes"


def not_believed() -> RaisesExc[NoOrganizationError]:
    return pytest.raises(NoOrganizationError)


def test_signed_claims(pgrecall_dsn: str) -> None:
    with Memory(pgrecall_dsn, embedder=None) as memory:
        memory.remember("Before.")
        with psycopg.connect(pgrecall_dsn, autocommit=True) as owner:
            owner.execute("select agent_memory.require_signed_claims(%s)", (SECRET,))
        with not_believed():
            memory.recall("Before")
    settings = Settings(claims_secret=SECRET)
    with Memory(pgrecall_dsn, embedder=None, settings=settings) as memory:
        assert len(memory.recall("Before")) == 1
        assert SECRET not in repr(settings)
    other = Settings(claims_secret=SECRET[::-1])
    with Memory(pgrecall_dsn, embedder=None, settings=other) as memory, not_believed():
        memory.recall("Before")
