"""pgrecall maintain on databases that need it."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from typing import Any

import psycopg
import pytest
from psycopg import sql

from pgrecall.domain.maintenance import Maintenance
from pgrecall.errors import ConflictError
from pgrecall.ops.maintenance import execution, maintain, window
from tests.database.conftest import Client, World
from tests.server_statistics import settle

COUNTS = ("added", "recalls", "latencies")


def execute(world: World, statement: str, *parameters: object) -> list[dict[str, Any]]:
    cursor = world.connection.execute(statement.encode(), parameters)
    return cursor.fetchall() if cursor.description else []


def kinds(report: Maintenance) -> dict[tuple[str, str], str]:
    return {(o.task.kind, o.task.target): o.state for o in report.outcomes}


def applied(dsn: str) -> Maintenance:
    report = maintain(dsn, is_applied=True)
    assert report.failed == ()
    return report


@pytest.fixture
def alpha(world: World) -> Client:
    return world.program(world.organization(), "alpha")


def test_a_fresh_database_needs_nothing(pgrecall_dsn: str) -> None:
    applied(pgrecall_dsn)
    assert maintain(pgrecall_dsn).outcomes == ()


def test_the_tables_of_others_are_left_alone(world: World, pgrecall_dsn: str) -> None:
    applied(pgrecall_dsn)
    for name in ("organizations", "organization_members", "ai_memory_notes"):
        execute(world, f"create table {name} as select n from generate_series(1, 5000) as n")
    settle_statistics(world)
    assert maintain(pgrecall_dsn).outcomes == ()


def retention(world: World, **settings: Any) -> None:
    execute(
        world,
        "update agent_memory.organizations set agent_settings = %s",
        json.dumps({"retention": settings}),
    )


def aged(world: World, client: Client, days: int, **more: Any) -> uuid.UUID:
    [told] = client.remember({"content": f"Of {days} days ago {uuid.uuid4()}.", **more})
    execute(
        world,
        "update ai_memories set created_at = created_at - %s * interval '1 day' where id = %s",
        days, told["id"],
    )  # fmt: skip
    found: uuid.UUID = told["id"]
    return found


def states(world: World) -> dict[uuid.UUID, bool]:
    rows = execute(world, "select id, forgotten_at is not null as it from ai_memories")
    return {row["id"]: row["it"] for row in rows}


def test_what_is_too_old_is_forgotten_by_kind(
    world: World, alpha: Client, pgrecall_dsn: str
) -> None:
    retention(world, max_age={"message": 30, "fact": 90})
    old, young = (aged(world, alpha, days, kind="message") for days in (31, 29))
    fact, event = (aged(world, alpha, 40, kind=kind) for kind in ("fact", "event"))
    plan_tasks = maintain(pgrecall_dsn)
    assert ("retention", f"alpha in {alpha.claims['app_metadata']['organization_id']}") in kinds(
        plan_tasks
    )
    assert not any(states(world).values())
    applied(pgrecall_dsn)
    assert states(world) == {old: True, young: False, fact: False, event: False}
    [change] = execute(world, "select change, changed_by from agent_memory.history")
    assert (change["change"], change["changed_by"]) == ("forgotten", "maintenance")


def test_what_is_too_old_is_erased_where_that_is_set(
    world: World, alpha: Client, pgrecall_dsn: str
) -> None:
    retention(world, max_age={"fact": 30}, action="erase")
    aged(world, alpha, 31)
    forgotten = aged(world, alpha, 32)
    alpha.rows("select forget_memories(%s)", json.dumps({"ids": [str(forgotten)]}))
    young = aged(world, alpha, 2)
    applied(pgrecall_dsn)
    assert list(states(world)) == [young]
    [erasure] = execute(world, "select erased_by, counts from agent_memory.erasures")
    assert erasure["erased_by"] == "maintenance"
    assert erasure["counts"]["memories"] == 2


def test_the_newest_stay_and_each_agent_has_its_own_bound(world: World, pgrecall_dsn: str) -> None:
    organization = world.organization()
    alpha, beta = (world.program(organization, name) for name in ("alpha", "beta"))
    retention(world, max_count=2)
    beta.rows("select configure_memory('beta', '{\"retention\": {\"max_count\": 3}}')")
    ids = [[aged(world, agent, days) for days in (5, 3, 9, 1)] for agent in (alpha, beta)]
    applied(pgrecall_dsn)
    found = states(world)
    assert [found[each] for each in ids[0]] == [True, False, True, False]
    assert [found[each] for each in ids[1]] == [False, False, True, False]


def test_expired_memories_go_after_their_time(
    world: World, alpha: Client, pgrecall_dsn: str
) -> None:
    retention(world, expired=7, action="erase")
    aged(world, alpha, 0, valid_from="2020-01-01", expires_at="2020-01-02")
    stays = aged(world, alpha, 0, expires_at="2099-01-01")
    applied(pgrecall_dsn)
    assert list(states(world)) == [stays]


def test_batches_go_on_until_nothing_is_due(
    world: World, alpha: Client, pgrecall_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "BATCH", 3)
    retention(world, max_count=1, action="erase")
    alpha.remember(*({"content": f"N {number}."} for number in range(9)))
    [outcome] = [o for o in applied(pgrecall_dsn).outcomes if o.task.kind == "retention"]
    assert outcome.rows == 8
    assert len(states(world)) == 1


def test_vectors_of_a_dropped_model_go(world: World, alpha: Client, pgrecall_dsn: str) -> None:
    if not world.has_vector:
        pytest.skip("no vectors here")
    for model in ("old", "new"):
        vectors = {"embedding": [1, 0], "embedding_model": model}
        alpha.remember(*({"content": f"N {model} {n}.", **vectors} for n in range(3)))
        if model == "old":
            alpha.rows("select add_memory_model('new', 2, 'alpha')")
    alpha.rows("select switch_memory_model('new', 'alpha', 100)")
    alpha.rows("select drop_memory_model('old', 'alpha', 1)")
    report = applied(pgrecall_dsn)
    [outcome] = [o for o in report.outcomes if o.task.kind == "vectors"]
    assert outcome.rows == 2
    rows = execute(world, "select model, count(*) as n from agent_memory.embeddings group by 1")
    assert rows == [{"model": "new", "n": 3}]


def test_hours_become_days_and_sums_stay(world: World, alpha: Client, pgrecall_dsn: str) -> None:
    execute(
        world,
        "insert into agent_memory_stats"
        " (organization_id, agent_id, hour, added, recalls, latencies)"
        " select o.organization_id, agent, date_trunc('day', now(), 'UTC') - h * interval '1 hour',"
        " h, 2, array_fill(h::bigint, '{32}') from agent_memory.organizations o,"
        " unnest(array['alpha', 'beta']) as agent, generate_series(0, 24 * 100) as h",
    )
    total = (
        "select sum(added) as added, sum(recalls) as recalls,"
        " sum(latencies[7]) as latency from agent_memory_stats"
    )
    before = execute(world, total)
    [outcome] = [o for o in applied(pgrecall_dsn).outcomes if o.task.kind == "statistics"]
    assert outcome.rows == 2 * 10 * 23
    assert execute(world, total) == before
    rows = execute(
        world,
        "select count(*) as n from agent_memory_stats"
        " where hour < date_trunc('day', now() - interval '90 days', 'UTC')",
    )
    assert rows == [{"n": 2 * 10}]


def test_invalid_and_leftover_indexes_are_mended(world: World, pgrecall_dsn: str) -> None:
    execute(world, "create index ai_memories_slot_values_idx_ccnew on ai_memories (slot)")
    execute(
        world,
        "update pg_index set indisvalid = false where indexrelid in"
        " ('ai_memories_slot_values_idx_ccnew'::regclass, 'ai_memories_user_idx'::regclass)",
    )
    report = applied(pgrecall_dsn)
    assert kinds(report)["index", "public.ai_memories_user_idx"] == "done"
    rows = execute(
        world, "select indexrelid::regclass::text as it from pg_index where not indisvalid"
    )
    assert rows == []
    [left] = execute(world, "select to_regclass('ai_memories_slot_values_idx_ccnew') as it")
    assert left["it"] is None


def test_a_bloated_index_is_rebuilt(world: World, alpha: Client, pgrecall_dsn: str) -> None:
    organization = alpha.claims["app_metadata"]["organization_id"]
    execute(
        world,
        "insert into ai_memory_contexts (organization_id, agent_id, context_key)"
        " select %s, 'alpha', md5(n::text) || md5((-n)::text) from generate_series(1, 150000) n",
        organization,
    )
    execute(world, "delete from ai_memory_contexts where context_key > '1'")
    # Else the rows that it left dead may be counted only after the vacuum that took them away.
    settle_statistics(world)
    execute(world, "vacuum (analyze) ai_memory_contexts")
    size = "select pg_relation_size('ai_memory_contexts_key_idx') as it"
    [before] = execute(world, size)
    report = applied(pgrecall_dsn)
    assert kinds(report)["index", "public.ai_memory_contexts_key_idx"] == "done"
    [after] = execute(world, size)
    assert after["it"] < before["it"] / 4
    settle_statistics(world)
    assert maintain(pgrecall_dsn).outcomes == ()


def test_dead_rows_and_stale_statistics(world: World, alpha: Client, pgrecall_dsn: str) -> None:
    applied(pgrecall_dsn)
    alpha.remember(*({"content": f"Number {number}."} for number in range(3000)))
    execute(world, "update ai_memories set importance = 0.7 where importance < 0.7")
    settle_statistics(world)
    report = applied(pgrecall_dsn)
    assert kinds(report)["vacuum", "public.ai_memories"] == "done"
    settle_statistics(world)
    assert maintain(pgrecall_dsn).outcomes == ()
    execute(
        world,
        "insert into agent_memory.members (organization_id, user_id, role)"
        " select organization_id, 'u' || n, 'member'"
        " from agent_memory.organizations, generate_series(1, 900) n",
    )
    settle_statistics(world)
    assert ("analyze", "agent_memory.members") in kinds(applied(pgrecall_dsn))


def settle_statistics(world: World) -> None:
    """Counts reach the server's statistics at once, instead of within a second."""
    version = world.connection.info.server_version
    if version >= 150000:
        execute(world, "select pg_stat_force_next_flush()")
    else:
        # A session tells them at most every half second.
        execute(world, "select pg_sleep(0.6)")
        settle(world.connection.info.dsn)
    execute(world, "select 1")
    if version < 150000:
        execute(world, "select pg_stat_clear_snapshot()")


# Runs --------------------------------------------------------------------------------------


def test_one_at_a_time(pgrecall_dsn: str) -> None:
    with psycopg.connect(pgrecall_dsn) as other:
        other.execute(execution.statement("lock_maintenance").sql)
        with pytest.raises(ConflictError, match="another maintenance"):
            maintain(pgrecall_dsn, is_applied=True)
        maintain(pgrecall_dsn)
    maintain(pgrecall_dsn, is_applied=True)


def test_a_client_that_takes_the_lock_keeps_no_maintenance_waiting(
    world: World, pgrecall_dsn: str
) -> None:
    role = f"a_client_{uuid.uuid4().hex[:8]}"
    name = sql.Identifier(role)
    world.connection.execute(sql.SQL("create role {} login").format(name))
    try:
        with psycopg.connect(pgrecall_dsn, user=role) as client:
            client.execute(execution.statement("lock_maintenance").sql)
            maintain(pgrecall_dsn, is_applied=True)
    finally:
        world.connection.execute(sql.SQL("drop role {}").format(name))


def test_nothing_is_begun_outside_of_the_window(
    world: World, alpha: Client, pgrecall_dsn: str
) -> None:
    retention(world, max_age={"fact": 1})
    beta = world.program(alpha.claims["app_metadata"]["organization_id"], "beta")
    old, other = aged(world, alpha, 5), aged(world, beta, 5)
    hours = window("02:00-04:00")
    noon, night = (datetime(2026, 11, 24, hour, 30) for hour in (12, 2))
    report = maintain(pgrecall_dsn, is_applied=True, window=hours, clock=lambda: noon)
    assert report.is_cut_short
    assert {outcome.state for outcome in report.outcomes} == {"not reached"}
    assert states(world) == {old: False, other: False}
    ticks = iter([night, noon, noon, noon, noon, noon, noon, noon])
    report = maintain(pgrecall_dsn, is_applied=True, window=hours, clock=lambda: next(ticks))
    assert [o.state for o in report.outcomes][:2] == ["done", "not reached"]
    assert states(world) == {old: True, other: False}


def test_a_task_that_fails_is_said_and_the_others_are_tried(
    world: World, alpha: Client, pgrecall_dsn: str
) -> None:
    retention(world, max_age={"fact": 1})
    beta = world.program(alpha.claims["app_metadata"]["organization_id"], "beta")
    old, other = aged(world, alpha, 5), aged(world, beta, 5)
    role = f"half_owner_{uuid.uuid4().hex[:8]}"
    name = sql.Identifier(role)
    world.connection.execute(sql.SQL("create role {} login").format(name))
    world.connection.execute(sql.SQL("grant usage on schema agent_memory to {}").format(name))
    world.connection.execute(
        sql.SQL("grant select on all tables in schema public to {}").format(name)
    )
    world.connection.execute(
        sql.SQL("grant select on all tables in schema agent_memory to {}").format(name)
    )
    for function in ("retained_agents()", "dropped_vectors()", "has_vector()", "now()",
                     "due_memories(uuid, text, jsonb, integer)", "effective_settings(uuid, text)",
                     "merge_patch(jsonb, jsonb)", "built_in_settings()"):  # fmt: skip
        world.connection.execute(
            sql.SQL("grant execute on function agent_memory.{} to {}").format(
                sql.SQL(function),
                name,  # type: ignore[arg-type]
            )
        )
    world.connection.execute(sql.SQL("alter role {} bypassrls").format(name))
    dsn = psycopg.conninfo.make_conninfo(pgrecall_dsn, user=role)
    try:
        report = maintain(dsn, is_applied=True)
        failed = [o for o in report.failed if o.task.kind == "retention"]
        assert ["permission denied" in (o.error or "") for o in failed] == [True, True]
        assert states(world) == {old: False, other: False}
    finally:
        world.connection.execute(sql.SQL("drop owned by {}").format(name))
        world.connection.execute(sql.SQL("drop role {}").format(name))
