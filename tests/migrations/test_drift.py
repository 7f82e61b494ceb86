"""What is not as the migrations made it is named, with what cures it."""

import psycopg
import pytest

from pgrecall._sync.migrate import migrate, status
from pgrecall.domain.drift import SchemaObject
from pgrecall.sql.migration_drift import REPAIR, differences, keyed, moved
from pgrecall.sql.migration_files import read_release
from tests.migrations.releases import ended_by, with_text

RELEASE = read_release()
FILES = RELEASE.install
# The same, with a table more.
NEWER = with_text(
    RELEASE,
    FILES[-1].name,
    ended_by(
        "create table if not exists agent_memory.newer (organization_id uuid not null);"
        " alter table agent_memory.newer enable row level security;"
    ),
)

# What somebody did to the schema, and how that is named.
DRIFTS = {
    "policy dropped": (
        "drop policy ai_memories_select on ai_memories",
        "missing policy ai_memories_select on public.ai_memories",
    ),
    "policy altered": (
        "alter policy ai_memories_select on ai_memories using (true)",
        "altered policy ai_memories_select on public.ai_memories",
    ),
    "policy for another role": (
        "alter policy ai_memories_select on ai_memories to public",
        "altered policy ai_memories_select on public.ai_memories",
    ),
    "permissive policy added": (
        "create policy everyone on ai_memories for select using (true)",
        "added policy everyone on public.ai_memories",
    ),
    "row level security disabled": (
        "alter table ai_memories disable row level security",
        "altered row level security public.ai_memories",
    ),
    "row level security forced": (
        "alter table agent_memory.members force row level security",
        "altered row level security agent_memory.members",
    ),
    "row level security of the ledger disabled": (
        "alter table agent_memory.migrations disable row level security",
        "altered row level security agent_memory.migrations",
    ),
    "function body changed": (
        "create or replace function agent_memory.active_organization() returns uuid"
        " language plpgsql stable parallel safe security definer"
        " set search_path = pg_catalog, pg_temp as 'begin return null; end'",
        "altered function agent_memory.active_organization()",
    ),
    "search path reset": (
        "alter function agent_memory.principal() reset search_path",
        "altered function agent_memory.principal()",
    ),
    "definer dropped": (
        "alter function forget_memories(jsonb, boolean) security invoker",
        "altered function public.forget_memories(jsonb,boolean)",
    ),
    "function dropped": (
        "drop function memory_history(uuid)",
        "missing function public.memory_history(uuid)",
    ),
    "function of the same name added": (
        "create function forget_memories(text) returns text language sql as 'select $1';"
        " revoke all on function forget_memories(text) from public",
        "added function public.forget_memories(text)",
    ),
    "column dropped": (
        "alter table ai_memories drop column confidence",
        "missing column public.ai_memories.confidence",
    ),
    "column added": (
        "alter table ai_memories add column mood text",
        "added column public.ai_memories.mood",
    ),
    "index dropped": (
        "drop index ai_memories_context_idx",
        "missing index public.ai_memories_context_idx",
    ),
    "index invalid": (
        "update pg_index set indisvalid = false"
        " where indexrelid = 'ai_memories_context_idx'::regclass",
        "altered index public.ai_memories_context_idx",
    ),
    "unique index added": (
        "create unique index once on ai_memories (organization_id, content)",
        "added index public.once",
    ),
    "constraint dropped": (
        "alter table ai_memories drop constraint ai_memories_valid_range",
        "missing constraint ai_memories_valid_range on public.ai_memories",
    ),
    "foreign key not enforced": (
        "alter table ai_memories disable trigger all",
        "altered constraint ai_memories_context_fk on public.ai_memories",
    ),
    "trigger added": (
        "create trigger copies before insert on ai_memories"
        " for each row execute function suppress_redundant_updates_trigger()",
        "added trigger copies on public.ai_memories",
    ),
    "rule added": (
        "create rule nothing as on delete to ai_memories do instead nothing",
        "added rule nothing on public.ai_memories",
    ),
    "table dropped": (
        "drop table agent_memory_stats",
        "missing table public.agent_memory_stats",
    ),
    "private function added": (
        "create function agent_memory.back_door() returns text language sql as 'select 1::text';"
        " revoke all on function agent_memory.back_door() from public",
        "added function agent_memory.back_door()",
    ),
}


# What somebody gave or took. Rights are compared with their declaration, by the doctor.
RIGHTS = {
    "table to anon": "grant select on ai_memories to anon",
    "column to anon": "grant select (content) on ai_memories to anon",
    "writing to clients": "grant insert on ai_memories to authenticated",
    "reading from clients": "revoke select on ai_memories from authenticated",
    "execution to all": (
        "grant execute on function agent_memory.settle_agent(uuid, text, text) to public"
    ),
    "private schema to clients": "grant usage on schema agent_memory to authenticated",
    "type to anon": "grant usage on type agent_memory.principal to anon",
}


@pytest.fixture
def dsn(pgrecall_dsn):
    """A migrated database."""
    return pgrecall_dsn


def named(drift):
    return [f"{each.change} {each.kind} {each.name}" for each in drift]


def cured(dsn, ask, drift):
    """Do as the cures say, and what differs then."""
    for each in drift:
        # One by one: what is CONCURRENTLY stands in no transaction.
        for statement in each.statements:
            ask(dsn, statement)
    return migrate(dsn, repair=True).drift


def test_a_fresh_database_has_no_drift(runner_forms, database):
    runner_forms.migrate(database)
    found = runner_forms.status(database)
    assert (found.drift, found.drift_unknown, found.is_current) == ((), None, True)
    assert migrate(database, repair=True).drift == ()
    assert status(database).is_current


@pytest.fixture(params=["a server's own", "another time zone and date style"])
def runner_forms(request, monkeypatch):
    """The runner, in sessions whose settings change how the server renders things."""
    if request.param != "a server's own":
        options = "-c timezone=Asia/Kathmandu -c datestyle=SQL,DMY -c quote_all_identifiers=on"
        monkeypatch.setenv("PGOPTIONS", f"{options} -c search_path=public,agent_memory")

    class Forms:
        migrate = staticmethod(migrate)

        @staticmethod
        def status(dsn):
            monkeypatch.delenv("PGOPTIONS", raising=False)
            return status(dsn)

    return Forms


@pytest.mark.parametrize("kind", DRIFTS)
def test_drift_is_named_and_cured(dsn, ask, kind):
    statement, name = DRIFTS[kind]
    ask(dsn, statement)
    found = status(dsn)
    assert name in named(found.drift)
    assert all(each.cure for each in found.drift)
    assert not found.is_current
    assert found.is_applied
    assert cured(dsn, ask, found.drift) == ()
    assert status(dsn).is_current


@pytest.mark.parametrize("kind", RIGHTS)
def test_a_repair_makes_the_rights_as_declared(dsn, ask, kind):
    ask(dsn, RIGHTS[kind])
    assert len(ask(dsn, "select cure from agent_memory.wrong_rights()")) == 1
    assert status(dsn).drift == ()
    assert migrate(dsn, repair=True).drift == ()
    assert ask(dsn, "select cure from agent_memory.wrong_rights()") == []


@pytest.fixture
def stranger(dsn, ask):
    """A role that owns nothing."""
    [role] = ask(dsn, "select 'stranger_' || pg_backend_pid()")
    ask(dsn, f"create role {role}; grant create on schema agent_memory to {role}")
    yield role
    ask(dsn, f"drop owned by {role} cascade; drop role {role}")


def test_an_owner_that_was_changed_is_named(dsn, ask, stranger):
    ask(dsn, f"alter function agent_memory.active_organization() owner to {stranger}")
    found = status(dsn)
    [owner] = [each for each in found.drift if each.kind == "owner"]
    assert (owner.change, owner.now) == ("altered", stranger)
    assert owner.name == "function agent_memory.active_organization()"
    assert cured(dsn, ask, found.drift) == ()


def test_all_that_changes_hands_is_no_drift(dsn, ask, stranger):
    ask(dsn, f"revoke create on schema agent_memory from {stranger}")
    kinds = (
        "select format('alter table %s owner to %s', c.oid::regclass, '{0}') from pg_class as c"
        " where c.relkind = 'r' and c.relnamespace::regnamespace::text in ('public','agent_memory')"
        " union all select format('alter function %s owner to %s', p.oid::regprocedure, '{0}')"
        " from pg_proc as p where p.pronamespace::regnamespace::text in ('public', 'agent_memory')"
        " and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')"
        " union all select format('alter type %s owner to %s', t.oid::regtype, '{0}')"
        " from pg_type as t join pg_class as c on c.oid = t.typrelid and c.relkind = 'c'"
        " where t.typnamespace::regnamespace::text in ('public', 'agent_memory')"
        " union all select 'alter schema agent_memory owner to {0}'"
    )
    for statement in ask(dsn, kinds.format(stranger)):
        ask(dsn, statement)
    assert status(dsn).drift == ()


def test_parts_of_what_is_missing_go_without_saying(dsn, ask):
    ask(dsn, "drop table agent_memory_stats; create table agent_memory.mine (x int primary key)")
    assert named(status(dsn).drift) == [
        "missing table public.agent_memory_stats",
        "added table agent_memory.mine",
    ] or named(status(dsn).drift) == [
        "added table agent_memory.mine",
        "missing table public.agent_memory_stats",
    ]


def test_tuning_and_ones_own_objects_are_no_drift(dsn, ask):
    ask(dsn, "create index mine on ai_memories (kind)")
    ask(dsn, "alter table ai_memories set (autovacuum_vacuum_scale_factor = 0.01)")
    ask(dsn, "alter table ai_memories alter column content set statistics 500")
    ask(dsn, "comment on table ai_memories is 'ours'; analyze ai_memories")
    ask(dsn, "create table our_own (x uuid references agent_memory.organizations)")
    ask(dsn, "create function mine() returns int language sql as 'select 1'")
    assert status(dsn).drift == ()


def test_a_function_that_a_project_may_replace_is_told_and_no_fault(dsn, ask):
    ask(
        dsn,
        "create or replace function agent_memory.memberships(member text)"
        " returns table (organization_id uuid, role text) language sql stable"
        " as 'select null::uuid, null::text where false'",
    )
    found = status(dsn)
    assert named(found.drift) == ["replaced function agent_memory.memberships(text)"]
    assert found.is_current
    assert named(migrate(dsn, repair=True).drift) == named(found.drift), "it is kept"


def test_a_membership_of_a_client_role_is_named(new_server, ask):
    migrate(new_server)
    ask(new_server, "grant service_role to authenticated; alter role anon bypassrls")
    found = status(new_server)
    assert set(named(found.drift)) == {
        "added membership authenticated in service_role",
        "altered role anon",
    }
    assert cured(new_server, ask, found.drift) == ()


def test_a_run_does_not_take_drift_for_its_own(dsn, ask):
    ask(dsn, DRIFTS["permissive policy added"][0])
    ask(dsn, DRIFTS["constraint dropped"][0])
    ask(dsn, "update agent_memory.migrations set features = '{}'")
    report = migrate(dsn, release=NEWER)
    assert any("2 objects are not as the migrations made them" in note for note in report.notices)
    assert set(named(status(dsn).drift)) == {
        DRIFTS["permissive policy added"][1],
        DRIFTS["constraint dropped"][1],
    }
    ask(dsn, "drop table agent_memory.newer")
    assert "missing table agent_memory.newer" in named(status(dsn).drift)


def test_a_failure_on_a_schema_that_drifted_says_so(dsn, ask):
    ask(dsn, "alter table ai_memories drop column trust")
    with pytest.raises(psycopg.Error):
        ask(dsn, FILES[0].text)
    with pytest.raises(
        Exception, match=r"column public\.ai_memories\.trust, which is missing"
    ) as e:
        migrate(dsn, repair=True)
    assert "pgrecall migrate --status" in e.value.hint
    for each in status(dsn).drift:
        if each.cure != REPAIR:
            ask(dsn, each.cure)
    assert migrate(dsn, repair=True).drift == ()


def test_without_a_reference_drift_is_unknown_until_a_repair(dsn, ask):
    ask(dsn, "drop table agent_memory.fingerprints")
    found = status(dsn)
    assert REPAIR in found.drift_unknown
    assert not found.is_current
    assert migrate(dsn, repair=True).drift == ()
    assert status(dsn).is_current


def needs_vector(dsn, ask):
    if not ask(dsn, "select name from pg_available_extensions where name = 'vector'"):
        pytest.skip("needs pgvector")


def test_vectors_that_come_and_go_are_no_drift(dsn, ask):
    needs_vector(dsn, ask)
    ask(dsn, "drop extension vector cascade")
    assert status(dsn).migrations[0].state == "pending"
    # The runner would create the extension again, where it may.
    ask(
        dsn,
        "create function forbid() returns event_trigger language plpgsql as"
        " 'begin raise insufficient_privilege; end'",
    )
    ask(
        dsn,
        "create event trigger forbid on ddl_command_start when tag in ('CREATE EXTENSION')"
        " execute function forbid()",
    )
    migrate(dsn)
    assert status(dsn).drift == ()
    ask(dsn, "drop event trigger forbid; create extension vector")
    migrate(dsn)
    assert status(dsn).is_current
    ask(dsn, "drop index agent_memory.embeddings_exact_idx")
    assert named(status(dsn).drift) == ["missing index agent_memory.embeddings_exact_idx"]


# Decided without a database.


def policy(name, definition="select"):
    return SchemaObject("policy", name, None, definition, f"DROP POLICY {name};", None)


def objects(*others):
    return keyed(others)


def test_the_reference_moves_by_what_a_migration_changed():
    reference = objects(policy("kept"), policy("remade"), policy("lost"))
    before = objects(policy("kept", "drifted"), policy("remade"), policy("extra"))
    after = objects(policy("kept", "drifted"), policy("remade", "new"), policy("extra"))
    move = moved(reference, before, after, is_lossy=False)
    assert move.recorded == (policy("remade", "new"),)
    assert move.dropped == ()
    assert moved(reference, before, after, is_lossy=True).dropped == (("policy", "lost"),)


def test_what_a_migration_drops_leaves_the_reference():
    reference = objects(policy("old"))
    move = moved(reference, reference, objects(), is_lossy=False)
    assert move.dropped == (("policy", "old"),)


def test_without_a_reference_it_is_all_that_is_there():
    assert moved({}, {}, objects(policy("new")), is_lossy=False).recorded == (policy("new"),)


def test_other_removals_are_no_drift():
    moved_to = policy("same")._replace(removal="DROP POLICY same ON other;")
    assert differences(objects(policy("same")), objects(moved_to)).drift == ()
