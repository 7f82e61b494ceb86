"""The matrix: what everyone may do with everything, declared here and nowhere else.

A cell says what comes of an operation on the rows of the organization `one`:

    PAOVB       the memories, by letter (stage.LABELS), that were seen, written or changed
    all         every row of the organization, and none of another one
    everything  every row of every organization
    yes         it answered, or changed something
    nothing     no error, no row and no change
    42501       refused with this SQLSTATE; after letters, for those memories alone
    ... or ...  one of the two, as the server plans it
"""

from __future__ import annotations

from tests.isolation.expectations import Row, by, everyone, of, or_refused

NO_RECALL = {"key_remember": "nothing", "key_forget": "nothing"}
READS = of("AOVB", ann="PAOVB", alpha="PAOV", beta="OVB", key_recall="PAOV", **NO_RECALL)
SELECTED = by(READS, "nothing", "nothing", service_role="everything")
TENANT = by(of("all", **NO_RECALL), "nothing", "nothing", service_role="everything")
# Whether a policy that says false looks at the claims first is the planner's choice.
EITHER = "nothing or 22P02"
DENIED = everyone("42501")
SERVED = everyone("42501", service_role="all")
SERVED_READS = everyone("42501", service_role="everything")

# With grants that clients don't have: what the policies alone let through.
WRITES = of(
    "nothing", owner="AOVB", admin="AOVB", ann="PAO", alpha="PAOV", beta="B", key_recall="PAOV"
)
WRITTEN = by(WRITES, "nothing", "nothing", service_role="all")
INSERTED = by(or_refused(WRITES, "42501"), "42501", "42501", service_role="PAOVB")
UNWRITTEN = by("nothing", "nothing", "nothing", service_role="all", not_json=EITHER)
UNINSERTED = everyone("42501", service_role="yes")

# Of a table without policies, whatever is granted.
UNSEEN = everyone("nothing", anon="42501", service_role="everything")
UNTOUCHED = everyone("nothing", anon="42501", service_role="all")

BY_VISIBILITY = {"ai_memories": "id", "ai_memory_contexts": "context_key"}
BY_TENANT = ("agent_memory_config", "agent_memory_stats")
# Clients have no USAGE of their schema; a service that bypasses Row Level Security has.
SERVED_TABLES = (
    "agent_memory.organizations",
    "agent_memory.members",
    "agent_memory.history",
    "agent_memory.config_history",
    "agent_memory.models",
    "agent_memory.audit",
    "agent_memory.erasures",
    "agent_memory.embeddings",
    "agent_memory.pieces",
)
PRIVATE_TABLES = (
    "agent_memory.additions",
    "agent_memory.backups",
    "agent_memory.claim_signing",
    "agent_memory.fingerprints",
    "agent_memory.keys",
    "agent_memory.migrations",
    "agent_memory.tombstones",
)
# The table is there without pgvector too, but then holds nothing that anybody could read.
OF_VECTOR = {"agent_memory.embeddings", "agent_memory.has_pieces", "agent_memory.is_large"}
WRITING = ("insert", "update", "delete")


def table_rows() -> list[Row]:
    rows = []
    for table, selected in {
        **dict.fromkeys(BY_VISIBILITY, SELECTED),
        **dict.fromkeys(BY_TENANT, TENANT),
        **dict.fromkeys(SERVED_TABLES, SERVED_READS),
    }.items():
        is_visible, is_served = table in BY_VISIBILITY, table in SERVED_TABLES
        changed, added = (WRITTEN, INSERTED) if is_visible else (UNWRITTEN, UNINSERTED)
        if is_served:
            changed = UNTOUCHED
        cells = {"select": selected, **dict.fromkeys(WRITING, SERVED), "truncate": DENIED}
        cells |= {"insert": {**SERVED, "service_role": "PAOVB" if is_visible else "yes"}}
        cells |= {"select if granted": UNSEEN} if is_served else {}
        cells |= {"insert if granted": added}
        cells |= {"update if granted": changed, "delete if granted": changed}
        rows += [Row(table, o, c, needs_vector=table in OF_VECTOR) for o, c in cells.items()]
    for table in PRIVATE_TABLES:
        verbs = ("select", *WRITING, "truncate")
        rows += [Row(table, verb, DENIED) for verb in verbs]
    return rows


# Functions -----------------------------------------------------------------------------------

RECALLED = by(
    READS | {"key_remember": "PM002", "key_forget": "PM002"}, "nothing", "PM001",
    service_role="PM001",
)  # fmt: skip
LIVES = by(READS, "nothing", "nothing", service_role="nothing")
# A memory about nobody that a person writes is about that person: hence B.
REMEMBERED = by(
    of("PM002", owner="AOVB", admin="AOVB", ann="PAOB", member="B", alpha="PAOV", beta="B",
       key_remember="PAOV"),
    "nothing", "PM001", service_role="PM001",
)  # fmt: skip
UPDATED = by(
    of("PM002", owner="AOVB P:PM004", admin="AOVB P:PM004", ann="PAO VB:PM002",
       member="P:PM004 AOVB:PM002", alpha="PAOV B:PM004", beta="B PA:PM004 OV:PM002",
       key_remember="PAOV B:PM004"),
    "PM004", "PM001", service_role="PM001",
)  # fmt: skip
FORGOTTEN = by(
    of("PM002", owner="AOVB", admin="AOVB", ann="PAO", member="nothing", alpha="PAOV", beta="B",
       key_forget="PAOV"),
    "nothing", "PM001", service_role="PM001",
)  # fmt: skip

ERASED = {**FORGOTTEN, "owner": "PAOVB", "admin": "PAOVB"}


def administered(
    admin: str = "yes", other_owner: str = "nothing", done: str = "yes"
) -> dict[str, str]:
    foreign = {"other_owner": other_owner, "other_program": "PM002", "dual": "PM002"}
    inside = of("PM002", owner=done, admin=admin)
    return by(inside, foreign, "PM001", service_role="PM001")


# What the organization's rows are known by.
LABELED = "select {label} as label from agent_memory.{table} where organization_id = %(one)s"
STATUS = "(select memory_status())"
ACTIVE = by("yes", "nothing", "nothing", service_role="nothing")
ADMINS = by(of("nothing", owner="yes", admin="yes"), "nothing", "nothing", service_role="nothing")
ITEM = "jsonb_build_object('content', 'New.', 'visibility', %(visibility)s::text{more})"
OWNERSHIP = ", 'agent_id', %(agent)s::text, 'user_id', %(user)s::text"
ONE_ID = "jsonb_build_object('ids', jsonb_build_array(%(id)s::uuid))"
COUNTED = "select 1 where ({call} ->> 'memories')::integer > 0"
IN_CONTEXT = """
select unnest(array[(r.hit).id, (r.before ->> 'id')::uuid, (r.after ->> 'id')::uuid]) as id
from recall_in_context('note safe', match_limit => 1000) as r
"""
FORGET_ALL = "update ai_memories set forgotten_at = now()"
ALLOW_ADMINS = "update agent_memory.organizations set admins_read_private = true"
WITHOUT_ADMINS = "delete from agent_memory.members where role in ('owner', 'admin')"


def memory_functions() -> list[Row]:
    item, message = ITEM.format(more=OWNERSHIP), ITEM.format(more="")
    forgotten = f'{item} || \'{{"forgotten_at": "2026-01-01"}}\''
    known = f"{item} || jsonb_build_object('id', %(id)s::uuid)"
    context = f"{ONE_ID} || jsonb_build_object('context_key', %(letter)s::text)"
    return [
        Row("recall_memories", "execute", RECALLED, measure="ids",
            call="select id from recall_memories('note safe', match_limit => 1000)"),
        Row("recall_in_context", "execute", RECALLED, measure="ids",
            call=IN_CONTEXT),
        Row("explain_memories", "execute", RECALLED, measure="ids",
            call="select id from explain_memories('note safe', match_limit => 1000)"),
        Row("memory_history", "execute", LIVES, each=True,
            call="select * from memory_history(%(id)s)"),
        Row("memory_changes", "execute", RECALLED, measure="ids",
            call="select memory_id as id from memory_changes(%(ids)s)"),
        Row("memory_erasures", "execute", administered("all", done="all"), measure="rows",
            call="select id as label from memory_erasures()",
            whole=LABELED.format(label="id", table="erasures")),
        Row("remember_memories", "execute", REMEMBERED, measure="changes", each=True,
            call=f"select * from remember_memories(jsonb_build_array({item}))"),
        Row("import_memories", "execute", REMEMBERED, measure="changes", each=True,
            call=f"select * from import_memories(jsonb_build_array({item}))"),
        Row("import_memories", "execute (forgotten)", REMEMBERED, measure="changes", each=True,
            call=f"select * from import_memories(jsonb_build_array({forgotten}))"),
        Row("import_memories", "execute (dry run)", REMEMBERED, each=True,
            call=f"select 1 from import_memories(jsonb_build_array({known}), true)"
                 " where status = 'duplicate'"),
        Row("append_memories", "execute", REMEMBERED, measure="changes", each=True,
            call=f"select * from append_memories(jsonb_build_array({message}), 'new',"
                 " %(agent)s, %(user)s)"),
        Row("update_memory", "execute", UPDATED, measure="changes", each=True,
            call="select update_memory(%(id)s, '{\"importance\": 0.9}')"),
        Row("forget_memories", "execute", FORGOTTEN, measure="changes", each=True,
            call=f"select forget_memories({ONE_ID})"),
        Row("forget_memories", "execute (dry run by id)", FORGOTTEN, each=True,
            call=COUNTED.format(call=f"forget_memories({ONE_ID}, true)")),
        Row("restore_memories", "execute", FORGOTTEN, measure="changes", each=True,
            call=f"select restore_memories({ONE_ID})", prepare=FORGET_ALL),
        Row("restore_memories", "execute (dry run by context)", FORGOTTEN, each=True,
            call=COUNTED.format(call=f"restore_memories({context}, true)"), prepare=FORGET_ALL),
        Row("erase_memories", "execute", FORGOTTEN, measure="changes", each=True,
            call=f"select erase_memories({ONE_ID})"),
        Row("erase_memories", "execute (dry run by context)", FORGOTTEN, each=True,
            call=COUNTED.format(call=f"erase_memories({context}, true)")),
        Row("erase_memories", "execute (where admins may look)", ERASED, each=True,
            call=COUNTED.format(call=f"erase_memories({ONE_ID})"), prepare=ALLOW_ADMINS),
    ]  # fmt: skip


def organization_functions() -> list[Row]:
    inspect = "select id from inspect_memories('ann', 'a reason')"
    key_of_alpha = "select create_memory_key('new', 'alpha')"
    keys = everyone("yes", anon="42501")
    members = of("all", key_remember="PM002", key_forget="PM002")
    return [
        Row("memory_status", "execute", ACTIVE,
            call=f"select 1 where {STATUS} ->> 'organization_id' = %(organization)s"),
        Row("memory_status", "execute (the role)", ADMINS,
            call=f"select 1 where {STATUS} ->> 'organization_id' = %(organization)s"
                 f" and {STATUS} ->> 'role' in ('owner', 'admin')"),
        Row("list_memory_members", "execute", by(members, "nothing", "PM001", service_role="PM001"),
            measure="rows", call="select created_at as label from list_memory_members()",
            whole=LABELED.format(label="created_at", table="members")),
        Row("memory_audit", "execute", administered("all", done="all"), measure="rows",
            call="select id as label from memory_audit(1000)",
            whole=LABELED.format(label="id", table="audit")),
        Row("set_memory_member", "execute (a member)", administered(), measure="changes",
            call="select set_memory_member('new', 'member')"),
        Row("set_memory_member", "execute (an owner)", administered(admin="PM002"),
            measure="changes", call="select set_memory_member('new', 'owner')"),
        Row("set_memory_member", "execute (removal)", administered(), measure="changes",
            call="select set_memory_member('ann', null)"),
        Row("set_private_memory_access", "execute", administered(admin="PM002"), measure="changes",
            call="select set_private_memory_access(true)"),
        Row("inspect_memories", "execute", administered("PM002", "PM002", "PM002"), measure="ids",
            call=inspect),
        Row("inspect_memories", "execute (where allowed)",
            administered("PAO", "nothing", "PAO"), measure="ids", call=inspect,
            prepare=ALLOW_ADMINS),
        Row("create_memory_key", "execute", administered(), measure="changes",
            call="select create_memory_key('new', 'beta')"),
        Row("create_memory_key", "execute (to private memories)",
            administered("PM002", "PM002", "PM002"), measure="changes", call=key_of_alpha),
        Row("create_memory_key", "execute (to them, where allowed)", administered(),
            measure="changes", call=key_of_alpha, prepare=ALLOW_ADMINS),
        Row("list_memory_keys", "execute", administered(),
            call="select * from list_memory_keys() where id = %(key)s::uuid"),
        Row("revoke_memory_key", "execute", administered(other_owner="PM004"), measure="changes",
            call="select revoke_memory_key(%(key)s::uuid)"),
        Row("authenticate_memory_key", "execute (a wrong key)", everyone("PM009", anon="42501"),
            call="select authenticate_memory_key('pgr_wrong')"),
        Row("authenticate_memory_key", "execute (the key)", keys,
            call="select authenticate_memory_key(%(secret)s)"),
    ]  # fmt: skip


CONFIGURED = by(
    of("PM002", owner="yes", admin="yes", alpha="yes"),
    {"other_owner": "nothing", "other_program": "nothing", "dual": "PM002"},
    "PM001", service_role="PM001",
)  # fmt: skip
UNLED = by(
    of("PM002", owner="PM001", admin="PM001", alpha="yes", beta="yes"),
    {"other_owner": "PM001", "other_program": "nothing", "dual": "PM002"},
    "PM001", service_role="PM001",
)  # fmt: skip
CONFIGURATION = by(
    of("yes", key_remember="PM002", key_forget="PM002"), "nothing", "PM001", service_role="PM001"
)


def setting_functions() -> list[Row]:
    for_all = "select configure_memory(null, '{\"limit\": 7}')"
    return [
        Row("configure_memory", "execute (alpha)", CONFIGURED, measure="changes",
            call="select configure_memory('alpha', '{\"limit\": 7}')"),
        Row("configure_memory", "execute (all agents)", administered(), measure="changes",
            call=for_all),
        Row("configure_memory", "execute (all, of an organization without owner and admin)", UNLED,
            measure="changes", call=for_all, prepare=WITHOUT_ADMINS),
        Row("memory_config", "execute", CONFIGURATION,
            call="select * from memory_config(%(id)s::text) where source = 'agent'"),
        Row("memory_config_history", "execute", CONFIGURATION,
            call="select * from memory_config_history(%(id)s::text)"),
    ]  # fmt: skip


def kept(
    foreign: str = "nothing", done: str = "yes", admins: str = "", beta: str = "PM002"
) -> dict[str, str]:
    """Of the models of an agent, for owners, admins and the agent's own program without a key."""
    admins = admins or done
    inside = of("PM002", owner=admins, admin=admins, alpha=done, beta=beta)
    outside = {"other_owner": foreign, "other_program": foreign, "dual": "PM002"}
    return by(inside, outside, "PM001", service_role="PM001")


# Another model of both programs, in every organization, or in the one that was made first.
NEXT = """
insert into agent_memory.models (organization_id, agent_id, model, dimension, state, changed_by)
select organization_id, agent, 'next', 4, 'next', 'x'
from agent_memory.organizations, unnest(array['alpha', 'beta']) as agent
"""
NEXT_OF_ONE = f"{NEXT} where created_at = (select min(created_at) from agent_memory.organizations)"
STORE = """
select 1 from store_memory_embeddings('next', jsonb_build_array(jsonb_build_object(
  'id', %(id)s::uuid, 'embedding', '[1,0,0,1]', 'digest',
  encode(sha256(convert_to('Note ' || %(letter)s || ' of the safe.', 'UTF8')), 'hex'))), %(agent)s)
where status = 'stored'
"""


# Whoever recalls or remembers is counted, a viewer and every key too; a program for itself alone.
COUNTED_FOR = by(
    of("yes", beta="PM002"), {"other_owner": "nothing", "other_program": "nothing",
    "dual": "nothing"}, "PM001", service_role="PM001",
)  # fmt: skip
ADD_STATS = """
select add_memory_stats(jsonb_build_array(jsonb_build_object(
  'agent_id', 'alpha', 'hour', date_trunc('hour', now(), 'UTC'), 'recalls', 1)))
"""


def stats_functions() -> list[Row]:
    return [Row("add_memory_stats", "execute", COUNTED_FOR, measure="changes", call=ADD_STATS)]


def model_functions() -> list[Row]:
    missing = "select id from missing_memory_embeddings('next', '{agent}', match_limit => 1000)"
    of_beta = kept("nothing", "B") | {"alpha": "PM002", "beta": "B", "other_program": "PM002"}
    stored = {"alpha": "PAOV B:PM002", "beta": "B PAOV:PM002", "other_program": "B:PM002"}
    calls = [
        ("memory_models", "execute", kept(), "answers",
         "select 1 from memory_models('alpha') where model = 'next'"),
        ("add_memory_model", "execute", kept(), "changes",
         "select add_memory_model('another', 4, 'alpha')"),
        ("missing_memory_embeddings", "execute (of alpha)", kept("nothing", "PAOV", "AOV"), "ids",
         missing.format(agent="alpha")),
        ("missing_memory_embeddings", "execute (of beta)", of_beta, "ids",
         missing.format(agent="beta")),
        ("store_memory_embeddings", "execute", kept("nothing", "", "AOVB") | stored, "each",
         STORE),
        ("switch_memory_model", "execute (with gaps)", kept("PM007", "PM007"), "changes",
         "select switch_memory_model('next', 'alpha')"),
        ("switch_memory_model", "execute (with allowed gaps)", kept(), "changes",
         "select switch_memory_model('next', 'alpha', 100)"),
        ("drop_memory_model", "execute", kept(), "changes",
         "select drop_memory_model('next', 'alpha')"),
    ]  # fmt: skip
    return [
        Row(target, operation, expected, call, "answers" if measure == "each" else measure,
            each=measure == "each", needs_vector=True,
            prepare=NEXT_OF_ONE if measure == "answers" else NEXT)
        for target, operation, expected, measure, call in calls
    ]  # fmt: skip


# What policies call needs EXECUTE for clients, but no USAGE of the schema.
FOR_POLICIES = (
    "active_organization", "may_read", "may_write", "principal",
)  # fmt: skip
FOR_SERVICES = (
    *FOR_POLICIES,
    "built_in_settings", "claimed_organization", "is_safe_json", "now", "number_problem",
    "paired", "retention_problem", "settings_problem", "settle_agent", "slot_key",
    "text_config", "uuid_v7", "weights_problem",
)  # fmt: skip
OF_MODELS = (
    "count_missing", "embedded_text", "embedding_answers", "kept_agent", "refuse_gaps",
    "require_vectors", "text_digest",
)  # fmt: skip
OF_INSTALLING = (
    "apply_rights", "begin_migration", "declared_rights", "define_type", "drop_function",
    "drop_type", "features", "policy", "policy_digest", "record_migration", "wrong_rights",
)  # fmt: skip
PRIVATE_FUNCTIONS = (
    *FOR_SERVICES,
    *OF_MODELS,
    *OF_INSTALLING,
    "add_drafts", "add_memories", "add_vectors", "all_built_in_settings",
    "are_claims_signed", "background", "candidates", "check_changes", "check_embedding",
    "checked_settings", "claim_signature", "days", "delete_dropped",
    "delete_memories", "delete_traces", "delete_vectors", "detected_language", "drafts",
    "drop_embeddings", "drop_mentions", "dropped_vectors", "due_memories", "earlier_value",
    "effective_settings", "entomb", "erase", "erased", "erasure_receipt", "erasure_scope",
    "exact_limit", "existing", "find_place", "first_of", "first_told", "foreseen", "has_pieces",
    "has_vector", "holding", "identified", "import_refusal", "imported_before", "in_part",
    "in_reach", "in_scope", "index_added", "index_pieces", "is_count", "is_erased",
    "is_frequent", "is_large", "is_same_value", "is_storable", "item_vectors", "judge_value",
    "key_verbs", "known_messages", "known_value", "languages", "later_value",
    "leaves", "lexemes", "lock_conversations", "lock_erasures", "lock_memories", "lock_memory",
    "make_room", "mark_forgotten", "matched_form", "matching", "memberships", "memory_digest",
    "merge_patch", "named_contexts", "named_conversations", "named_memories", "named_time",
    "nearest", "neighbours", "openness", "own_end", "parse_time", "piece_refusal",
    "place_drafts", "plain_text", "probed", "query_cues", "query_terms", "rarities",
    "read_imports", "read_vectors", "recalled", "record_audit", "record_upgrade",
    "refresh_windows", "refusal", "refuse_dimension", "release_texts", "release_values",
    "repeated_drafts",
    "require_admin", "require_configurer", "require_member", "require_signed_claims",
    "require_writer", "resent_messages", "restore_value", "retain", "retain_all",
    "retained_agents", "roll_up_stats", "sampled", "scope_digest", "scope_ids",
    "score_memories", "set_forgotten", "set_slots", "settle_contexts", "settle_languages",
    "settle_model", "settle_value", "settled_dimension", "settled_since",
    "share_of_memories", "similarities",
    "stats_problem", "step", "store_embeddings", "stored_dimension", "stored_models", "summed",
    "surroundings", "tagged", "text_key", "unlink_memories", "unspaced_letters",
    "vector_schema", "vectors_of", "whole_limit", "whole_vector", "window_part", "windows",
    "wishing", "without_recalled", "writers_settings",
)  # fmt: skip


def private_functions() -> list[Row]:
    rows = []
    for name in PRIVATE_FUNCTIONS:
        target = f"agent_memory.{name}"
        served = "yes" if name in FOR_SERVICES else "42501"
        opened = "yes" if name in FOR_POLICIES else "42501"
        cells = {
            "execute": everyone("42501", service_role=served),
            "execute if usage granted": everyone(opened, anon="42501", service_role=served),
        }
        rows += [
            Row(target, o, c, measure="reach", needs_vector=target in OF_VECTOR)
            for o, c in cells.items()
        ]
    return rows


MATRIX = [
    *memory_functions(),
    *organization_functions(),
    *setting_functions(),
    *model_functions(),
    *stats_functions(),
    *table_rows(),
    *private_functions(),
]
