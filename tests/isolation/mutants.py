"""Deliberately broken policies, grants and functions, which the suites must notice."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

CLAIMED = (
    "((current_setting('request.jwt.claims')::jsonb -> 'app_metadata' ->> 'organization_id')::uuid)"
)


@dataclass(frozen=True)
class Mutant:
    """`caught_by` names the suites of test_mutants.py that notice, each by itself.

    `needs_vector` is of what no caller gets to on a server without pgvector.
    """

    name: str
    sql: str
    caught_by: Set[str] = frozenset({"matrix"})
    needs_vector: bool = False


def policy(name: str, expression: str, table: str = "ai_memories") -> str:
    return f"alter policy {name} on {table} {expression}"


def edited(function: str, old: str, new: str) -> str:
    """Put other words into a function's definition, where they must stand."""
    return f"""
do $edit$
declare
  was text := pg_get_functiondef('{function}'::regprocedure);
begin
  if position($old${old}$old$ in was) = 0 then
    raise exception '% has no such words any more', '{function}';
  end if;
  execute replace(was, $old${old}$old$, $new${new}$new$);
end
$edit$
"""


TENANT = "organization_id = (select agent_memory.active_organization())"
CALLER = "(select (agent_memory.principal()).person), (select (agent_memory.principal()).program)"
SUBJECT = "(current_setting('request.jwt.claims')::jsonb ->> 'sub')"
READ = f"agent_memory.may_read(visibility, user_id, agent_id, {CALLER})"
IN_REACH = "agent_memory.in_part(agent_memory.reach, text, uuid[], integer)"
IN_SCOPE = "agent_memory.in_scope(agent_memory.principal, jsonb, boolean)"
ERASE = "agent_memory.erase(agent_memory.principal, jsonb, boolean, boolean)"
ERASURE_SCOPE = "agent_memory.erasure_scope(agent_memory.principal, jsonb)"
LOCK = "agent_memory.lock_memory(agent_memory.principal, uuid, boolean)"
RECALL = (
    "public.recall_memories(text, real[], text, text, text, text, text[], jsonb, timestamptz,"
    " timestamptz, timestamptz, integer, real)"
)
RECALLED = "agent_memory.recalled(agent_memory.reach, text, real[], text, integer, real, boolean)"
MAY_READ = (
    "and agent_memory.may_read(m.visibility, m.user_id, m.agent_id, caller.person, caller.program)"
)
MAY_WRITE = (
    "and agent_memory.may_write("
    "m.visibility, m.user_id, m.agent_id, caller.role, caller.person, caller.program)"
)
HISTORY = "public.memory_history(uuid)"
CHANGES = "public.memory_changes(uuid[])"
AUDIT = "public.memory_audit(integer, uuid)"
ERASURES = "public.memory_erasures(integer, uuid)"
MEMBERS = "public.list_memory_members()"
STATUS = "public.memory_status()"
MEMBER = "agent_memory.require_member('recall')"
CONFIGURER = "agent_memory.require_configurer(text)"
BY_ORGANIZATION = "m.organization_id = caller.organization_id and m.id = memory_id"

POLICIES = [
    Mutant(
        "a policy without the organization",
        policy("ai_memories_select", f"using ({READ})"),
        {"matrix", "walls"},
    ),
    Mutant("a policy without visibility", policy("ai_memories_select", f"using ({TENANT})")),
    Mutant(
        "a check is dropped", policy("ai_memories_insert", "with check (true)"), {"matrix", "walls"}
    ),
    Mutant(
        "a null organization is let through",
        policy(
            "ai_memories_select",
            f"using (({TENANT} or (select agent_memory.active_organization()) is null) and {READ})",
        ),
        {"matrix", "walls"},
    ),
    Mutant(
        "the claim is believed in a policy",
        policy(
            "ai_memory_contexts_select",
            f"using (organization_id = {CLAIMED})",
            "ai_memory_contexts",
        ),
        {"matrix", "walls"},
    ),
    Mutant(
        "an extra permissive policy",
        "create policy helpful on agent_memory.history for select to authenticated using (true)",
        {"matrix", "walls"},
    ),
    Mutant(
        "an extra policy for the organization's own rows",
        f"create policy helpful on ai_memories for select to authenticated using ({TENANT})",
        {"matrix", "walls"},
    ),
    Mutant(
        "the person is whom the claims name when a row is looked at",
        policy(
            "ai_memories_select",
            f"using ({TENANT} and agent_memory.may_read("
            f"visibility, user_id, agent_id, (select {SUBJECT}), null))",
        ),
        {"leaks"},
    ),
    Mutant(
        "the organization is one caller's and the program another's",
        policy("ai_memories_select", f"using ({TENANT} and {READ})"),
        {"leaks"},
    ),
    Mutant(
        "the rows that one caller may write are another's",
        policy(
            "ai_memories_delete",
            f"using ({TENANT} and agent_memory.may_write(visibility, user_id, agent_id,"
            f" (select (agent_memory.principal()).role), {CALLER}))",
        ),
        {"leaks"},
    ),
    Mutant(
        "row security is off",
        "alter table agent_memory.audit disable row level security",
        {"matrix", "walls"},
    ),
]

PREDICATES = [
    Mutant(
        "viewers write, by the policies",
        edited(
            "agent_memory.may_write(text, text, text, text, text, text)",
            "when role operator(pg_catalog.=) 'member' then",
            "when role operator(pg_catalog.=) any ('{member,viewer}') then",
        ),
    ),
    Mutant(
        "viewers write, by the functions",
        edited("agent_memory.require_writer(text)", "caller.role = 'viewer'", "false")
        + ";"
        + edited(
            "agent_memory.may_write(text, text, text, text, text, text)",
            "when role operator(pg_catalog.=) 'member' then",
            "when role operator(pg_catalog.=) any ('{member,viewer}') then",
        ),
    ),
    Mutant(
        "admins see what is private",
        policy(
            "ai_memories_select",
            f"using ({TENANT} and ({READ} or (select (agent_memory.principal()).role) = 'admin'))",
        ),
        {"matrix", "walls"},
    ),
    Mutant(
        "admins look at what is private unasked",
        edited(
            "public.inspect_memories(text, text, integer)",
            "not (select o.admins_read_private",
            "not (select true",
        ),
    ),
    Mutant(
        "admins make keys to what is private",
        edited(
            "public.create_memory_key(text, text, text[], timestamptz)",
            "not (select o.admins_read_private",
            "not (select true",
        ),
    ),
    Mutant(
        "programs see each other's",
        edited(
            "agent_memory.may_read(text, text, text, text, text)",
            "else ((agent_id,",
            "when program is not null then true else ((agent_id,",
        ),
    ),
    Mutant(
        "a function for policies finds an operator in the caller's path",
        edited(
            "agent_memory.may_write(text, text, text, text, text, text)",
            "agent_id operator(pg_catalog.=) program",
            "agent_id = program",
        ),
        {"walls"},
    ),
]

IDENTITY = [
    Mutant(
        "an unverified claim",
        "create or replace function agent_memory.memberships(member text)"
        " returns table (organization_id uuid, role text) language sql stable as"
        f" $$ select {CLAIMED}, 'member' $$",
    ),
    Mutant(
        "user_metadata names the organization",
        edited(
            "agent_memory.claimed_organization(jsonb)",
            "then claims operator(pg_catalog.->) 'org_id'",
            "then claims operator(pg_catalog.->) 'org_id'"
            " else claims -> 'user_metadata' -> 'organization_id'",
        ),
    ),
    Mutant(
        "the first of several memberships is taken",
        edited("agent_memory.principal()", "having count(*) = 1", "having count(*) > 0"),
    ),
    Mutant(
        "revoked keys live on",
        edited("agent_memory.key_verbs(uuid, text, jsonb)", "and k.revoked_at is null", ""),
    ),
    Mutant(
        "a key's verbs are not looked at",
        edited("agent_memory.require_member(text)", "verb <> all (caller.verbs)", "false"),
        {"matrix", "agreement"},
    ),
]

READING = [
    Mutant(
        "everyone reads the audit",
        edited(AUDIT, "agent_memory.require_admin('admin')", MEMBER),
    ),
    Mutant(
        "the audit of every organization",
        edited(AUDIT, "a.organization_id = caller.organization_id", "true"),
    ),
    Mutant(
        "everyone reads what was erased",
        edited(ERASURES, "agent_memory.require_admin('admin')", MEMBER),
    ),
    Mutant(
        "what every organization erased",
        edited(ERASURES, "e.organization_id = caller.organization_id", "true"),
    ),
    Mutant(
        "the members of every organization",
        edited(MEMBERS, "m.organization_id = caller.organization_id", "true"),
    ),
    Mutant("anybody lists members", edited(MEMBERS, MEMBER, "agent_memory.principal()")),
    Mutant(
        "changes of every organization's memories",
        edited(CHANGES, "h.organization_id = caller.organization_id", "true"),
        {"matrix", "agreement"},
    ),
    Mutant(
        "changes without visibility",
        edited(
            CHANGES,
            "and agent_memory.may_read("
            "h.visibility, h.user_id, h.agent_id, caller.person, caller.program)",
            "",
        ),
        {"matrix", "agreement"},
    ),
    Mutant(
        "a key without the verb is told of changes",
        edited(CHANGES, MEMBER, "agent_memory.principal()"),
        {"matrix", "agreement"},
    ),
    Mutant(
        "the status believes the claims",
        edited(
            STATUS,
            "'organization_id', caller.organization_id",
            "'organization_id', agent_memory.claimed_organization("
            "current_setting('request.jwt.claims', true)::jsonb)",
        ),
    ),
]

FUNCTIONS = [
    Mutant(
        "a definer without the membership test",
        edited(RECALL, "agent_memory.require_member('recall')", "agent_memory.principal()")
        + ";"
        + edited(IN_REACH, "where m.organization_id = caller.organization_id", "where true"),
        {"matrix", "agreement"},
    ),
    Mutant(
        "recall without visibility",
        edited(IN_REACH, MAY_READ, ""),
        {"matrix", "agreement"},
    ),
    Mutant(
        "history of any organization's memory",
        edited(HISTORY, "asked.organization_id = caller.reads and", "")
        + ";"
        + edited(HISTORY, "on m.organization_id = caller.organization_id\n     and", "on"),
        {"matrix", "agreement"},
    ),
    Mutant(
        "updates of any organization's memory",
        edited(LOCK, BY_ORGANIZATION, "m.id = memory_id")
        + ";"
        + edited("public.update_memory(uuid, jsonb)", BY_ORGANIZATION, "m.id = memory_id"),
    ),
    Mutant(
        "a foreign id answers otherwise than none",
        edited(LOCK, BY_ORGANIZATION, "m.id = memory_id"),
    ),
    Mutant("forgetting what one may not change", edited(IN_SCOPE, MAY_WRITE, "")),
    Mutant(
        "forgetting in every organization",
        edited(
            IN_SCOPE,
            "where m.organization_id = caller.organization_id and m.id = any (ids)",
            "where m.id = any (ids)",
        )
        + ";"
        + edited(
            "agent_memory.named_memories(uuid, jsonb)",
            "where m.organization_id = named_memories.organization_id\n      and (named",
            "where (named",
        ),
        {"matrix", "agreement"},
    ),
    Mutant(
        "erasing what one may not change",
        edited(
            ERASE,
            "is_private_too or coalesce(agent_memory.may_write(",
            "true or coalesce(agent_memory.may_write(",
        ),
    ),
    Mutant(
        "programs erase each other's",
        edited(
            ERASURE_SCOPE,
            "when caller.role = 'agent' then caller.program else",
            "when false then '' else",
        )
        + ";"
        + edited(ERASURE_SCOPE, "scope ->> 'agent_id' <> caller.program", "false")
        + ";"
        + edited(
            ERASE,
            "is_private_too or coalesce(agent_memory.may_write(",
            "true or coalesce(agent_memory.may_write(",
        ),
    ),
    Mutant(
        "admins erase what is private unasked",
        edited(
            "public.erase_memories(jsonb, boolean)",
            "select o.admins_read_private from",
            "select true from",
        ),
    ),
    Mutant(
        "keys of every organization are listed",
        edited("public.list_memory_keys()", "where k.organization_id = caller.organization_id", ""),
    ),
    Mutant(
        "programs configure each other",
        edited(CONFIGURER, "caller.program = agent_id", "caller.role = 'agent'"),
    ),
    Mutant(
        "an API key configures its agent",
        edited(CONFIGURER, "agent_memory.require_member('administer')", "agent_memory.principal()"),
    ),
    Mutant(
        "programs configure all agents beside an owner",
        edited(CONFIGURER, "caller.role = 'agent' and agent_id is null and not exists", "exists"),
    ),
    Mutant(
        "an agent is configured in every organization",
        edited(
            "public.configure_memory(text, jsonb)",
            "where c.organization_id = caller.organization_id and c.agent_id",
            "where c.agent_id",
        ),
    ),
    Mutant(
        "changes of every organization's settings",
        edited(
            "public.memory_config_history(text)",
            "h.organization_id = caller.organization_id",
            "true",
        ),
    ),
    Mutant(
        "admins are handed private texts to embed",
        edited(
            "public.missing_memory_embeddings(text, text, uuid, integer)",
            f"{MAY_READ}\n        {MAY_WRITE}",
            "",
        ),
        needs_vector=True,
    ),
    Mutant(
        "programs keep each other's models",
        edited(
            "agent_memory.kept_agent(agent_memory.principal, text)",
            "(caller.program is null or agent <> caller.program)",
            "caller.program is null",
        ),
        needs_vector=True,
    ),
    Mutant(
        "vectors of two dimensions under one name",
        edited(
            "agent_memory.settle_model(uuid, text, text, integer)", "if begun > 0", "if begun < 0"
        ),
        {"leaks"},
        needs_vector=True,
    ),
    Mutant(
        "a key opens the private history of what is shared",
        edited(
            "public.create_memory_key(text, text, text[], timestamptz)",
            "and h.visibility = 'private'",
            "and false",
        ),
        {"leaks"},
    ),
    Mutant(
        "an idempotency key is everybody's",
        edited(
            "agent_memory.drafts(agent_memory.principal, jsonb, boolean)",
            "jsonb_build_array(agent_id, user_id, caller.subject, idempotency_key)",
            "jsonb_build_array(agent_id, user_id, idempotency_key)",
        ),
        {"leaks"},
    ),
    Mutant(
        "an idempotency key is one of all users",
        edited(
            "agent_memory.drafts(agent_memory.principal, jsonb, boolean)",
            "jsonb_build_array(agent_id, user_id, caller.subject, idempotency_key)",
            "jsonb_build_array(agent_id, caller.subject, idempotency_key)",
        ),
        {"leaks"},
    ),
    Mutant(
        "the index of vectors is believed where others fill it",
        edited(
            "agent_memory.nearest(uuid, text, real[], integer)",
            "case when ids is not null then 'and not e.is_indexed' else '' end",
            "'and not e.is_indexed'",
        ),
        {"leaks"},
        needs_vector=True,
    ),
    Mutant(
        "an index that a plan counts other organizations' rows by",
        "create index beside_idx on ai_memories (user_id)",
        {"walls"},
    ),
    Mutant(
        "a removal waits for all who write",
        edited(
            "public.set_memory_member(text, text)",
            "old text;\nbegin",
            "old text;\nbegin\n  perform from agent_memory.organizations as o"
            " where o.organization_id = caller.organization_id for update;",
        ),
        {"leaks"},
    ),
    Mutant(
        "an unqualified type behind an empty path",
        "alter function agent_memory.principal() set search_path = ''",
        {"walls", "hijack"},
    ),
    Mutant(
        "a path of the caller's",
        "alter function public.memory_history(uuid) reset search_path",
        {"walls", "hijack"},
    ),
    Mutant(
        "a wrong path",
        f"alter function {RECALLED} set search_path = public, pg_catalog",
        {"walls", "hijack"},
    ),
]

GRANTS = [
    Mutant(
        "clients write tables", "grant update on ai_memories to authenticated", {"matrix", "walls"}
    ),
    Mutant(
        "clients truncate", "grant truncate on ai_memories to authenticated", {"matrix", "walls"}
    ),
    Mutant(
        "clients make triggers",
        "grant trigger, references on ai_memories to authenticated",
        {"walls"},
    ),
    Mutant("anon reads", "grant select on agent_memory_stats to anon", {"matrix", "walls"}),
    Mutant(
        "clients read a private table",
        "grant usage on schema agent_memory to authenticated;"
        " grant select on agent_memory.keys to authenticated",
        {"matrix", "walls"},
    ),
    Mutant(
        "a service reads the keys",
        "grant select on agent_memory.keys to service_role",
        {"matrix", "walls"},
    ),
    Mutant("anon recalls", f"grant execute on function {RECALL} to anon", {"matrix", "walls"}),
    Mutant(
        "the private schema is open",
        "grant usage on schema agent_memory to authenticated",
        {"matrix", "walls"},
    ),
    Mutant(
        "a private function is everybody's",
        "create function agent_memory.helper() returns text language sql as 'select null::text'",
        {"walls"},
    ),
    Mutant(
        "a key that spans organizations",
        "create unique index everybody_idx on ai_memories (idempotency_key)",
        {"walls"},
    ),
    Mutant(
        "a view of its owner's",
        "create view everything as select * from ai_memories;"
        " grant select on everything to authenticated",
        {"walls"},
    ),
]

MUTANTS = [*POLICIES, *PREDICATES, *IDENTITY, *READING, *FUNCTIONS, *GRANTS]
