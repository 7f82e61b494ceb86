"""`pgrecall tune` on a real server."""

from __future__ import annotations

import json
import random

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgrecall import Memory
from pgrecall.ops import tuning
from pgrecall.ops.tuning import Hardware
from tests.cli.conftest import Shell

MACHINE = Hardware(64 * 2**30, 8, "as told")


def setting(dsn: str, name: str) -> str:
    with psycopg.connect(dsn) as connection:
        [(value,)] = connection.execute("select current_setting(%s, true)", (name,)).fetchall()
    return str(value)


def store_vectors(dsn: str, count: int) -> None:
    """Memories of one organization with vectors, all of them in the index."""
    chance = random.Random(7)
    with psycopg.connect(dsn, autocommit=True) as connection:
        # So few can be sorted as fast as found by the index, which the planner then leaves alone.
        [(name,)] = connection.execute("select current_database()").fetchall()
        connection.execute(f'alter database "{name}" set enable_sort = off')
        [(organization,)] = connection.execute(
            "select organization_id from agent_memory.organizations"
        ).fetchall()
        connection.execute(
            "insert into ai_memories (organization_id, agent_id, content)"
            " select %s, 'default', 'memory ' || n from generate_series(1, %s) as n",
            (organization, count),
        )
        ids = connection.execute("select id from ai_memories").fetchall()
        for begin in range(0, count, 200):
            some = [row[0] for row in ids[begin : begin + 200]]
            vectors = [json.dumps([chance.gauss(0, 1) for _ in range(256)]) for _ in some]
            connection.execute(
                "insert into agent_memory.embeddings"
                " (organization_id, memory_id, model, embedding, is_indexed)"
                " select %s, v.id, 'drawn', v.text::extensions.halfvec, true"
                " from unnest(%s::uuid[], %s::text[]) as v (id, text)",
                (organization, some, vectors),
            )


def test_an_empty_database_is_read(pgrecall_dsn: str) -> None:
    found = tuning.propose(pgrecall_dsn, hardware=MACHINE)
    assert found.hardware == MACHINE
    assert found.measured.searches == ()
    assert any("index" in note or "few" in note for note in found.notes)
    proposed = {each.name: each for each in found.proposals}
    assert proposed["effective_cache_size"].statement == (
        "ALTER SYSTEM SET effective_cache_size = '48GB';"
    )


def test_search_by_index_is_measured_beside_exact(pgrecall_dsn: str) -> None:
    with Memory(pgrecall_dsn, embedder=None) as memory:
        memory.remember("so that there is an organization")
    with psycopg.connect(pgrecall_dsn) as connection:
        [(has_vector,)] = connection.execute("select agent_memory.has_vector()").fetchall()
    if not has_vector:
        pytest.skip("this server comes without pgvector")
    store_vectors(pgrecall_dsn, 3000)
    found = tuning.propose(pgrecall_dsn, hardware=MACHINE)
    assert found.measured.notes == ()
    assert [each.ef_search for each in found.measured.searches] == [40, 100, 200, 400, 800]
    few, *_, many = found.measured.searches
    # Vectors without any order are the worst case for an index.
    assert few.recall < many.recall
    assert many.recall > 0.95
    assert found.measured.exact_milliseconds is not None
    assert setting(pgrecall_dsn, "pgrecall.ef_search") in ("", "None")
    before = next(each for each in found.measured.searches if each.ef_search == 200)
    proposed = {each.name: each for each in found.proposals}
    if before.recall < 0.98:
        wanted = proposed["pgrecall.ef_search"]
        assert int(wanted.proposed) > 200
        assert "20 queries" in (wanted.effect or "")


def test_nothing_changes_unless_it_is_applied(pgrecall_dsn: str) -> None:
    shell = Shell({"DATABASE_URL": pgrecall_dsn, "PGRECALL_EMBEDDER": "none"})
    with psycopg.connect(pgrecall_dsn, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f'alter database "{name}" set random_page_cost = 4'.encode())
    told = ("tune", "--no-measure", "--memory", "8GB", "--cores", "4")
    result = shell.run(*told)
    assert result.exit_code == 0, result.stderr
    assert "random_page_cost: 4 -> 1.1" in result.stdout
    assert f"SET random_page_cost = '1.1';" in result.stdout  # noqa: F541
    assert setting(pgrecall_dsn, "random_page_cost") == "4"
    refused = shell.run(*told, "--apply")
    assert refused.exit_code == 2
    assert "--yes" in refused.stderr
    assert setting(pgrecall_dsn, "random_page_cost") == "4"


def test_what_is_applied_holds(pgrecall_dsn: str) -> None:
    with psycopg.connect(pgrecall_dsn, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f'alter database "{name}" set random_page_cost = 4'.encode())
    found = tuning.propose(pgrecall_dsn, is_measuring=False)
    # The server is every test's: only what is the database's own.
    own = [each for each in found.proposals if each.where == "database"]
    done = tuning.apply(pgrecall_dsn, own)
    assert [each.name for each in done] == [each.name for each in own]
    assert setting(pgrecall_dsn, "random_page_cost") == "1.1"
    again = tuning.propose(pgrecall_dsn, is_measuring=False)
    assert not [each for each in again.proposals if each.where == "database"]


def test_little_privilege_is_told_and_enough_to_read(pgrecall_dsn: str) -> None:
    with psycopg.connect(pgrecall_dsn, autocommit=True) as connection:
        connection.execute("create role tuning_reader login")
        connection.execute("grant usage on schema agent_memory to tuning_reader")
        connection.execute("grant execute on all functions in schema agent_memory to tuning_reader")
    try:
        found = tuning.propose(make_conninfo(pgrecall_dsn, user="tuning_reader"), hardware=MACHINE)
        assert found.proposals
        assert not any(each.can_apply for each in found.proposals)
        assert any(note.startswith("not measured: permission denied") for note in found.notes)
    finally:
        with psycopg.connect(pgrecall_dsn, autocommit=True) as connection:
            connection.execute("drop owned by tuning_reader")
            connection.execute("drop role tuning_reader")


def test_half_of_a_machine_is_refused() -> None:
    result = Shell().run("tune", "--memory", "8GB")
    assert result.exit_code == 2
    assert "go together" in result.stderr
