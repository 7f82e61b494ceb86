"""Behind a pooler that shares connections by transaction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from pgrecall.domain.diagnosis import Diagnosis
from pgrecall.ops.doctor.examination import examine
from pgrecall.ops.doctor.surroundings import Surroundings
from tests.doctor.databases import sandbox
from tests.memory.pooler import PGBOUNCER, pooling

CLAIMS = '{"sub": "somebody"}'


@pytest.fixture
def pooled(healthy: str, tmp_path: Path) -> Iterator[Surroundings]:
    """A healthy database through it."""
    if PGBOUNCER is None:
        pytest.skip("pgbouncer is not installed")
    with sandbox(None, healthy) as database, pooling(PGBOUNCER, database.dsn) as pooler:
        yield replace(database.surroundings, dsn=pooler.dsn(database.dsn))


def named(found: Diagnosis) -> list[tuple[str, str]]:
    return [
        (each.check, finding.subject) for each in found.examinations for finding in each.findings
    ]


def test_it_is_told_and_nothing_is_found(pooled: Surroundings) -> None:
    found = examine(pooled)
    assert named(found) == []
    [pooler] = [each for each in found.examinations if each.check == "pooler"]
    assert [fact.startswith("a pooler stands between") for fact in pooler.facts] == [True]


def test_an_identity_that_is_handed_on_is_found(pooled: Surroundings) -> None:
    with psycopg.connect(pooled.dsn, autocommit=True, prepare_threshold=None) as careless:
        careless.execute("select set_config('request.jwt.claims', %s, false)", (CLAIMS,))
    assert named(examine(pooled)) == [("pooler", "request.jwt.claims")]
