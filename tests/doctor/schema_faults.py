"""Faults of the schema: what the migrations made, and is not so any more."""

from __future__ import annotations

from tests.doctor.fault import Fault

REPAIR = "pgrecall migrate --repair"
MEMORIES = "public.ai_memories"
# A role that every server has, and pgrecall has nothing to do with.
STRANGER = "pg_monitor"

FAULTS = (
    Fault(
        "a policy is dropped",
        "row_security",
        "error",
        REPAIR,
        (f"drop policy ai_memories_select on {MEMORIES}",),
    ),
    Fault(
        "a policy lets everybody read",
        "row_security",
        "critical",
        REPAIR,
        (f"alter policy ai_memories_select on {MEMORIES} using (true)",),
    ),
    Fault(
        "one more permissive policy",
        "row_security",
        "critical",
        f"DROP POLICY everybody ON {MEMORIES};",
        (f"create policy everybody on {MEMORIES} for select to authenticated using (true)",),
    ),
    Fault(
        "a restrictive policy hides all",
        "row_security",
        "warning",
        f"DROP POLICY nobody ON {MEMORIES};",
        (f"create policy nobody on {MEMORIES} as restrictive using (false)",),
    ),
    Fault(
        "Row Level Security is disabled",
        "row_security",
        "critical",
        f"ALTER TABLE {MEMORIES} ENABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;",
        (f"alter table {MEMORIES} disable row level security",),
    ),
    Fault(
        "a function's body is altered",
        "functions",
        "critical",
        REPAIR,
        (
            """create or replace function agent_memory.may_read(
              visibility text, user_id text, agent_id text, person text, program text)
            returns boolean language sql immutable parallel safe as 'select true'""",
        ),
    ),
    Fault(
        "a function's search path is changed",
        "functions",
        "critical",
        REPAIR,
        ("alter function public.memory_history(uuid) set search_path = public",),
    ),
    Fault(
        "a function acts as its caller",
        "functions",
        "critical",
        REPAIR,
        ("alter function public.remember_memories(jsonb) security invoker",),
    ),
    Fault(
        "a function belongs to another role",
        "functions",
        "critical",
        "ALTER FUNCTION public.remember_memories(jsonb) OWNER TO {owner};",
        ("alter function public.remember_memories(jsonb) owner to service_role",),
    ),
    Fault(
        "a function is dropped",
        "functions",
        "error",
        REPAIR,
        ("drop function public.append_memories",),
    ),
    Fault(
        "a function is added to the private schema",
        "functions",
        "warning",
        "DROP FUNCTION agent_memory.peek();",
        ("create function agent_memory.peek() returns int language sql as 'select 1'",),
    ),
    Fault(
        "anon may read memories",
        "grants",
        "critical",
        f"REVOKE SELECT ON TABLE {MEMORIES} FROM anon CASCADE;",
        (f"grant select on {MEMORIES} to anon",),
    ),
    Fault(
        "clients may truncate memories",
        "grants",
        "critical",
        f"REVOKE TRUNCATE ON TABLE {MEMORIES} FROM authenticated CASCADE;",
        (f"grant truncate on {MEMORIES} to authenticated",),
    ),
    Fault(
        "clients may hand on that they read",
        "grants",
        "critical",
        f"REVOKE GRANT OPTION FOR SELECT ON TABLE {MEMORIES} FROM authenticated CASCADE;",
        (f"grant select on {MEMORIES} to authenticated with grant option",),
    ),
    Fault(
        "the public may execute a function",
        "grants",
        "critical",
        "REVOKE EXECUTE ON FUNCTION agent_memory.settle_agent(uuid,text,text) FROM public CASCADE;",
        ("grant execute on function agent_memory.settle_agent(uuid, text, text) to public",),
    ),
    Fault(
        "the private schema is open to clients",
        "grants",
        "critical",
        "REVOKE USAGE ON SCHEMA agent_memory FROM authenticated CASCADE;",
        ("grant usage on schema agent_memory to authenticated",),
    ),
    Fault(
        "default privileges gave a function to a stranger",
        "grants",
        "critical",
        f"REVOKE EXECUTE ON FUNCTION public.memory_status() FROM {STRANGER} CASCADE;",
        (
            f"alter default privileges grant execute on functions to {STRANGER}",
            "do $$ declare made text := pg_get_functiondef('public.memory_status()'::regprocedure);"
            " begin drop function public.memory_status(); execute made; end $$",
        ),
    ),
    Fault(
        "a stranger may read a table of the private schema",
        "grants",
        "warning",
        f"REVOKE SELECT ON TABLE agent_memory.members FROM {STRANGER} CASCADE;",
        (f"grant select on agent_memory.members to {STRANGER}",),
    ),
    Fault(
        "clients may write one column",
        "grants",
        "critical",
        f"REVOKE UPDATE (content) ON TABLE {MEMORIES} FROM authenticated CASCADE;",
        (f"grant update (content) on {MEMORIES} to authenticated",),
    ),
    Fault(
        "clients may not read their memories",
        "grants",
        "error",
        f"GRANT SELECT ON TABLE {MEMORIES} TO authenticated;",
        (f"revoke select on {MEMORIES} from authenticated",),
    ),
    Fault(
        "a service may not add members",
        "grants",
        "error",
        "GRANT INSERT ON TABLE agent_memory.members TO service_role;",
        ("revoke insert on agent_memory.members from service_role",),
    ),
    Fault(
        "clients bypass Row Level Security",
        "roles",
        "critical",
        "ALTER ROLE authenticated NOBYPASSRLS;",
        ("alter role authenticated bypassrls",),
    ),
    Fault(
        "anon is a member of service_role",
        "roles",
        "critical",
        "REVOKE service_role FROM anon;",
        ("grant service_role to anon",),
    ),
    Fault(
        "a column has lost its NOT NULL",
        "objects",
        "error",
        f"ALTER TABLE {MEMORIES} ALTER COLUMN content SET NOT NULL;",
        (f"alter table {MEMORIES} alter column content drop not null",),
    ),
    Fault(
        "a column has another default",
        "objects",
        "error",
        f"ALTER TABLE {MEMORIES} ALTER COLUMN importance SET DEFAULT 0.5;",
        (f"alter table {MEMORIES} alter column importance set default 1",),
    ),
    Fault(
        "a column is dropped",
        "objects",
        "error",
        "ALTER TABLE public.ai_memory_contexts ADD COLUMN created_at timestamp with time zone"
        " DEFAULT agent_memory.now() NOT NULL;",
        ("alter table public.ai_memory_contexts drop column created_at",),
    ),
    Fault(
        "a constraint is dropped",
        "objects",
        "error",
        "ALTER TABLE agent_memory.history ADD CONSTRAINT history_memory_fk FOREIGN"
        " KEY (organization_id, memory_id) REFERENCES public.ai_memories(organization_id, id)"
        " ON DELETE CASCADE;",
        ("alter table agent_memory.history drop constraint history_memory_fk",),
    ),
    Fault(
        "a table is dropped",
        "objects",
        "error",
        REPAIR,
        ("drop table agent_memory.audit",),
    ),
    Fault(
        "a table belongs to another role",
        "objects",
        "error",
        "ALTER TABLE public.agent_memory_stats OWNER TO {owner};",
        ("alter table public.agent_memory_stats owner to service_role",),
    ),
    Fault(
        "foreign keys are not kept",
        "triggers",
        "error",
        "ALTER TABLE agent_memory.history ENABLE TRIGGER ALL;",
        ("alter table agent_memory.history disable trigger all",),
    ),
    Fault(
        "a trigger is added",
        "triggers",
        "warning",
        f"DROP TRIGGER spy ON {MEMORIES};",
        (
            "create function public.spy() returns trigger language plpgsql as"
            " 'begin return new; end'",
            f"create trigger spy before insert on {MEMORIES} for each row"
            " execute function public.spy()",
        ),
    ),
    Fault(
        "an index is missing",
        "indexes",
        "error",
        "CREATE INDEX CONCURRENTLY ai_memories_user_idx ON public.ai_memories USING btree"
        " (organization_id, user_id, occurred_at);",
        ("drop index public.ai_memories_user_idx",),
    ),
    Fault(
        "an index is invalid",
        "indexes",
        "error",
        "REINDEX INDEX CONCURRENTLY public.ai_memories_context_idx;",
        (
            "update pg_catalog.pg_index set indisvalid = false"
            " where indexrelid = 'public.ai_memories_context_idx'::regclass",
        ),
    ),
    Fault(
        "an interrupted build has left an index",
        "indexes",
        "error",
        "DROP INDEX CONCURRENTLY public.ai_memories_user_idx_ccnew;",
        (
            f"create index ai_memories_user_idx_ccnew on {MEMORIES} (organization_id, user_id)",
            "update pg_catalog.pg_index set indisvalid = false"
            " where indexrelid = 'public.ai_memories_user_idx_ccnew'::regclass",
        ),
    ),
    Fault(
        "an index has lost its uniqueness",
        "indexes",
        "error",
        "DROP INDEX public.ai_memories_idempotency_idx;\nCREATE UNIQUE INDEX"
        " ai_memories_idempotency_idx ON public.ai_memories USING btree"
        " (organization_id, idempotency_digest) WHERE (idempotency_digest IS NOT NULL);",
        (
            "drop index public.ai_memories_idempotency_idx",
            f"create index ai_memories_idempotency_idx on {MEMORIES}"
            " (organization_id, idempotency_digest) where idempotency_digest is not null",
        ),
    ),
)
