"""What the catalog says of pgrecall's objects, so that no later migration forgets a wall."""

from __future__ import annotations

import pytest

from tests.database.conftest import World

TABLES = """
select c.oid::regclass::text as name, c.relrowsecurity as is_secured,
       c.relnamespace::regnamespace::text as schema
from pg_class c
where c.relkind in ('r', 'p')
  and c.relnamespace in ('public'::regnamespace, 'agent_memory'::regnamespace)
order by 1
"""

FUNCTIONS = """
select p.oid::regprocedure::text as name, p.prosecdef as is_definer, n.nspname as schema,
       coalesce(p.proconfig, '{}') as settings,
       has_function_privilege('anon', p.oid, 'execute') as anon,
       has_function_privilege('authenticated', p.oid, 'execute') as authenticated
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname in ('public', 'agent_memory')
  and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
"""

# All with the same parameters.
RECALLS = {"recall_memories", "recall_in_context", "explain_memories"}
CLIENT_FUNCTIONS = {
    "remember_memories(jsonb)",
    "update_memory(uuid,jsonb)",
    "forget_memories(jsonb,boolean)",
    "restore_memories(jsonb,boolean)",
    "erase_memories(jsonb,boolean)",
    "import_memories(jsonb,boolean)",
    "memory_history(uuid)",
    "append_memories(jsonb,text,text,text)",
    "set_memory_member(text,text)",
    "set_private_memory_access(boolean)",
    "inspect_memories(text,text,integer)",
    "create_memory_key(text,text,text[],timestamp with time zone)",
    "list_memory_keys()",
    "revoke_memory_key(uuid)",
    "authenticate_memory_key(text)",
    "configure_memory(text,jsonb)",
    "memory_config(text)",
    "memory_status()",
    "list_memory_members()",
    "memory_audit(integer,uuid)",
    "memory_erasures(integer,uuid)",
    "memory_changes(uuid[])",
    "memory_config_history(text)",
    "add_memory_model(text,integer,text)",
    "missing_memory_embeddings(text,text,uuid,integer)",
    "store_memory_embeddings(text,jsonb,text)",
    "switch_memory_model(text,text,integer)",
    "drop_memory_model(text,text,integer)",
    "add_memory_stats(jsonb)",
    "memory_models(text)",
}


def test_every_table_has_row_level_security(world: World) -> None:
    tables = world.connection.execute(TABLES).fetchall()
    assert len(tables) >= 8
    assert [row["name"] for row in tables if not row["is_secured"]] == []


def test_every_public_table_has_a_policy_for_each_command(world: World) -> None:
    rows = world.connection.execute(
        "select tablename, array_agg(cmd order by cmd) as commands,"
        " bool_and(roles = '{authenticated}') as is_exact"
        " from pg_policies where schemaname = 'public' group by 1"
    ).fetchall()
    tables = [t for t in world.connection.execute(TABLES).fetchall() if t["schema"] == "public"]
    assert len(rows) == len(tables)
    assert all(row["commands"] == ["DELETE", "INSERT", "SELECT", "UPDATE"] for row in rows)
    assert all(row["is_exact"] for row in rows)


def test_clients_may_select_and_nothing_else(world: World) -> None:
    rows = world.connection.execute(
        "select table_name, grantee,"
        " array_agg(privilege_type::text order by privilege_type::text) as rights"
        " from information_schema.role_table_grants"
        " where table_schema in ('public', 'agent_memory')"
        " and grantee in ('anon', 'authenticated', 'PUBLIC')"
        " group by 1, 2"
    ).fetchall()
    assert {row["grantee"] for row in rows} == {"authenticated"}
    assert all(row["rights"] == ["SELECT"] for row in rows)


def test_functions_have_exact_rights(world: World) -> None:
    functions = world.connection.execute(FUNCTIONS).fetchall()
    assert not any(row["anon"] for row in functions)
    public = {row["name"] for row in functions if row["schema"] == "public"}
    recalls = {name for name in public if name.split("(")[0] in RECALLS}
    assert len(recalls) == len(RECALLS)
    assert public - recalls == CLIENT_FUNCTIONS
    assert all(row["authenticated"] for row in functions if row["schema"] == "public")


def test_definer_functions_have_a_safe_search_path(world: World) -> None:
    functions = world.connection.execute(FUNCTIONS).fetchall()
    definers = [row for row in functions if row["is_definer"]]
    assert len(definers) >= 8
    unsafe = [r["name"] for r in definers if "search_path=pg_catalog, pg_temp" not in r["settings"]]
    assert unsafe == []


def test_functions_that_steer_the_planner_are_not_compiled(world: World) -> None:
    """Up to PostgreSQL 17 what is switched off, and used all the same, costs ten thousand million.

    That is far above jit_above_cost, and compiling takes seconds.
    """
    functions = world.connection.execute(FUNCTIONS).fetchall()
    steering = [row for row in functions if any("enable_" in each for each in row["settings"])]
    assert len(steering) >= 8
    assert [row["name"] for row in steering if "jit=off" not in row["settings"]] == []


def test_clients_cannot_reach_the_private_schema(world: World) -> None:
    allowed = world.connection.execute(
        "select has_schema_privilege('authenticated', 'agent_memory', 'usage') as it"
    ).fetchone()
    assert allowed == {"it": False}


def test_every_key_begins_with_the_organization(world: World) -> None:
    rows = world.connection.execute(
        "select i.indexrelid::regclass::text as name, a.attname as first"
        " from pg_index i join pg_class c on c.oid = i.indrelid"
        " join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]"
        " where i.indisunique and c.relnamespace = 'public'::regnamespace"
    ).fetchall()
    assert rows
    assert [row["name"] for row in rows if row["first"] != "organization_id"] == []


def test_every_table_column_and_client_function_is_described(world: World) -> None:
    rows = world.connection.execute(
        "select c.oid::regclass::text as name from pg_class c"
        " where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace"
        " and obj_description(c.oid, 'pg_class') is null"
        " union all select p.oid::regprocedure::text from pg_proc p"
        " where p.pronamespace in ('public'::regnamespace, 'agent_memory'::regnamespace)"
        " and obj_description(p.oid, 'pg_proc') is null"
        " and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')"
    ).fetchall()
    assert rows == []


@pytest.mark.parametrize("exact_limit", [5000, 1], ids=["compared", "chosen"])
@pytest.mark.parametrize("vectors", [False, True], ids=["words", "vectors"])
def test_what_runs_at_every_call_keeps_its_plans(
    world: World, vectors: bool, exact_limit: int
) -> None:
    """Before PostgreSQL 18 a function in SQL that can't be inlined is planned at each call."""
    if vectors and not world.has_vector:
        pytest.skip("this server comes without pgvector")
    client = world.program(world.organization())
    model = {"embedding_model": "m"} if vectors else {}
    told = {"content": "Hello.", "context_key": "t"} | (model and {"embedding": [1, 0.5], **model})
    asked = model and {"query_embedding": [1.0, 0.5], **model}

    def call() -> None:
        client.remember({**told, "kind": "message"})
        client.rows("select * from append_memories(%s::jsonb, 't')", '[{"content": "Hi."}]')
        client.recall("Can you recommend what to say hello to?", **asked)

    world.connection.execute(f"set pgrecall.exact_limit = {exact_limit}")
    call()
    with world.connection.transaction():
        world.connection.execute("set local track_functions = 'all'")
        call()
        world.connection.execute("reset role")
        rows = world.connection.execute(
            "select u.funcname as name, l.lanname as language"
            " from pg_stat_xact_user_functions u join pg_proc p on p.oid = u.funcid"
            " join pg_language l on l.oid = p.prolang where u.schemaname <> 'pg_catalog'"
        ).fetchall()
    world.connection.execute("reset pgrecall.exact_limit")
    languages = {row["name"]: row["language"] for row in rows}
    assert {"remember_memories", "append_memories", "recalled"} <= set(languages)
    assert [name for name, language in languages.items() if language == "sql"] == []
