"""A name stands for one organization, whoever created it."""

from __future__ import annotations

import psycopg
import pytest

from pgrecall import Memory
from pgrecall.errors import ConflictError


def test_a_name_makes_no_second_organization(shared_dsn: str, organization: str) -> None:
    insert = "insert into agent_memory.organizations (name) values (%s) returning organization_id"
    with psycopg.connect(shared_dsn) as connection:
        row = connection.execute(insert, [organization]).fetchone()
    assert row is not None
    with (
        Memory(shared_dsn, organization=organization, embedder=None) as memory,
        pytest.raises(ConflictError, match=str(row[0])),
    ):
        memory.list()
    for agent_id in ("one", "other"):
        with Memory(shared_dsn, organization=row[0], agent_id=agent_id, embedder=None) as memory:
            assert memory.list().items == ()


def test_organizations_that_were_created_by_id_may_share_a_name(shared_dsn: str) -> None:
    settle = "select agent_memory.settle_agent(gen_random_uuid(), 'Acme', 'one')"
    count = "select count(*) from agent_memory.organizations where name = 'Acme'"
    with psycopg.connect(shared_dsn) as connection:
        for _ in range(2):
            connection.execute(settle)
        assert connection.execute(count).fetchone() == (2,)
        connection.rollback()
