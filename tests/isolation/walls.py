"""What the catalog must say, each as a query for what breaks it. No row is good."""

from __future__ import annotations

from tests.isolation.stage import Stage

_OURS = """
n.nspname in ('public', 'agent_memory')
  and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
"""
_TABLES = """
c.relkind in ('r', 'p') and c.relnamespace in ('public'::regnamespace, 'agent_memory'::regnamespace)
"""
# Operators of names and numbers that a body may use unqualified are found in pg_catalog alone if
# the function sets its path. Those that are inlined, or run for every read, have none and must not
# need one: nor may they use words that stand for an operator, such as nullif.
_INLINED = "('claimed_organization', 'may_read', 'lexemes', 'may_write', 'openness', 'text_config')"

# What a service that bypasses Row Level Security reads and writes of the private schema.
_SERVED = (
    "('organizations', 'members', 'history', 'embeddings', 'models', 'config_history', 'audit',"
    " 'erasures', 'pieces')"
)

WALLS = {
    "only the guide's tables are in schema public": """
        select c.oid::regclass from pg_class c
        where c.relnamespace = 'public'::regnamespace
          and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
          and c.relname not in
            ('agent_memory_config', 'ai_memory_contexts', 'ai_memories', 'agent_memory_stats')
          and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')""",
    "rights are as declared": "select w.cure from agent_memory.wrong_rights() w",
    "row security is on": f"""
        select c.oid::regclass from pg_class c where {_TABLES} and not c.relrowsecurity""",
    "public tables have one policy a command, for authenticated": f"""
        select c.oid::regclass from pg_class c where {_TABLES}
        and c.relnamespace = 'public'::regnamespace
        and (select array_agg(p.polcmd::text order by p.polcmd::text) from pg_policy p
             where p.polrelid = c.oid and p.polpermissive
               and p.polroles = array['authenticated'::regrole::oid]) is distinct from '{{a,d,r,w}}'
        union all
        select p.polrelid::regclass from pg_policy p group by 1 having count(*) <> 4""",
    "private tables have no policy": f"""
        select p.polname from pg_policy p join pg_class c on c.oid = p.polrelid
        where {_TABLES} and c.relnamespace = 'agent_memory'::regnamespace""",
    "every policy names the organization": """
        select p.polname from pg_policy p
        where coalesce(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
          !~ '^\\(+organization_id = \\( SELECT agent_memory.active_organization\\(\\)'
          or pg_get_expr(p.polwithcheck, p.polrelid)
          !~ '^\\(+organization_id = \\( SELECT agent_memory.active_organization\\(\\)'""",
    "no policy has another way in": """
        select p.polname from pg_policy p where concat(
          pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) ~ ' OR '""",
    "clients may select from public tables and nothing else": f"""
        select c.oid::regclass || ' ' || g.privilege_type || ' ' || g.grantee::regrole
        from pg_class c cross join aclexplode(c.relacl) as g
        where {_TABLES} and g.grantee <> c.relowner
          and not (g.grantee = 'authenticated'::regrole and g.privilege_type = 'SELECT'
                   and c.relnamespace = 'public'::regnamespace)
          and not (g.grantee = 'service_role'::regrole
                   and g.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
                   and (c.relnamespace = 'public'::regnamespace or c.relname in {_SERVED}))
        union all
        select c.oid::regclass || '.' || a.attname from pg_class c
        join pg_attribute a on a.attrelid = c.oid where {_TABLES} and a.attacl is not null""",
    "nothing is for anon or for everybody": f"""
        select p.oid::regprocedure::text
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where {_OURS} and (p.proacl is null or has_function_privilege('anon', p.oid, 'execute'))
        union all
        select c.oid::regclass::text from pg_class c
        where {_TABLES} and has_table_privilege('anon', c.oid, 'select, insert, update, delete,
                                                truncate, references, trigger')""",
    "the private schema is closed": """
        select rolname from pg_roles
        where rolname in ('anon', 'authenticated')
          and has_schema_privilege(oid, 'agent_memory', 'usage, create')""",
    "functions have a safe path": f"""
        select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where {_OURS} and (p.prosecdef or p.proname not in {_INLINED})
          and not coalesce(p.proconfig @> '{{"search_path=pg_catalog, pg_temp"}}', false)
          and not (p.prosrc ~ '^(begin end|select null::(integer|text\\[\\]))$')
          and p.proname <> 'memberships'""",
    "what has no path names the schema of its operators": f"""
        select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where {_OURS} and p.proname in {_INLINED}
          and regexp_replace(
            p.prosrc, '--[^\\n]*|''[^'']*''|operator\\(pg_catalog\\.[^)]+\\)', '', 'g')
            ~* '[=<>+*/~!@#%^&|]|\\mcase\\s+(?!when|\\s)|'
               '\\m(nullif|in|between|like|ilike|similar|distinct)\\M'""",
    "definers verify the caller": f"""
        select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where {_OURS} and p.prosecdef and p.oid <> 'agent_memory.principal()'::regprocedure
          and p.proname <> 'authenticate_memory_key'
          and p.prosrc !~
            'agent_memory\\.(principal|require_(member|writer|admin|configurer)|set_forgotten)\\('
          -- Of append_memories() the whole is a call of the function that does.
          and p.prosrc !~ 'return query select r\\.\\* from public\\.remember_memories\\('""",
    "functions that clients call are definers, private ones that run for policies are few": f"""
        select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where {_OURS} and p.prosecdef <> (n.nspname = 'public' or p.proname in
          ('principal', 'active_organization'))""",
    "every key begins with the organization": f"""
        select i.indexrelid::regclass from pg_index i join pg_class c on c.oid = i.indrelid
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where {_TABLES} and i.indisunique and a.attname <> 'organization_id'
          and c.relname not in ('additions', 'migrations', 'fingerprints', 'claim_signing')""",
    # EXPLAIN tells a client how many rows a condition of theirs left for the policy to remove, if
    # the condition can't leak and an index serves it: one that begins with the organization serves
    # both. What GIN serves can leak, so the policy comes first.
    "no plan counts the rows of others": f"""
        select i.indexrelid::regclass from pg_index i join pg_class c on c.oid = i.indrelid
        join pg_class x on x.oid = i.indexrelid join pg_am m on m.oid = x.relam
        join pg_attribute a on a.attrelid = i.indexrelid and a.attnum = 1
        where {_TABLES} and c.relnamespace = 'public'::regnamespace
          and a.attname not in ('organization_id', 'slot_key') and m.amname <> 'gin'""",
    "every foreign key carries the organization": """
        select conname from pg_constraint k
        where k.contype = 'f'
          and k.connamespace in ('public'::regnamespace, 'agent_memory'::regnamespace)
          and not exists (select from pg_attribute a where a.attrelid = k.conrelid
                          and a.attname = 'organization_id' and a.attnum = k.conkey[1])""",
    "no view, rule or trigger is there": f"""
        select c.oid::regclass::text from pg_class c
        where c.relnamespace in ('public'::regnamespace, 'agent_memory'::regnamespace)
          and c.relkind in ('v', 'm', 'f')
          and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
        union all select t.tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid
        where {_TABLES} and not t.tgisinternal""",
}


def breaches(stage: Stage) -> list[str]:
    """Every wall that is down, and where."""
    found = []
    for wall, query in WALLS.items():
        rows = stage.connection.execute(query.encode()).fetchall()
        found += [f"{wall}: {', '.join(map(str, row.values()))}" for row in rows]
    return found
