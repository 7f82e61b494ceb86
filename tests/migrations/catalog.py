"""What the catalogs say: of pgrecall's objects, and of all that is in a database."""

from __future__ import annotations

from typing import TypeAlias

import psycopg

from pgrecall.sql import statement
from pgrecall.sql.migration_files import read_release

Catalog: TypeAlias = "dict[tuple[str, ...], str]"

COMMENTS = """
select 'comment', i.type || ' ' || i.identity, d.description
from pg_description as d
cross join lateral pg_identify_object(d.classoid, d.objoid, d.objsubid) as i
where i.identity ~ '\\m(agent_memory|public)\\M' and d.objoid <> 'public'::regnamespace
  -- A policy's tells by digests whether it is as it was made; what it does is compared itself.
  and i.type <> 'policy'
"""
EVERYTHING = """
select 'schema', n.nspname, concat_ws(' ', n.nspowner::regrole, n.nspacl,
  obj_description(n.oid, 'pg_namespace'))
from pg_namespace as n where n.nspname !~ '^pg_(toast|temp)'
union all
select 'extension', e.extname, concat_ws(' ', e.extversion, e.extnamespace::regnamespace)
from pg_extension as e
union all
select 'relation', c.oid::regclass::text, concat_ws(' ', c.relkind, c.relowner::regrole, c.relacl,
  c.relrowsecurity, c.reloptions, obj_description(c.oid, 'pg_class'),
  case when c.relkind in ('i', 'I') then pg_get_indexdef(c.oid) end)
from pg_class as c where c.relnamespace::regnamespace::text !~ '^pg_toast'
union all
select 'column', c.oid::regclass || '.' || a.attname, concat_ws(' ', a.attnum,
  format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attacl)
from pg_attribute as a join pg_class as c on c.oid = a.attrelid
where a.attnum > 0 and not a.attisdropped
  and c.relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
union all
select 'function', p.oid::regprocedure::text, concat_ws(' ', p.proowner::regrole, p.proacl,
  md5(p.prosrc), p.prosecdef, p.proconfig)
from pg_proc as p
union all
select 'type', t.oid::regtype::text, concat_ws(' ', t.typtype, t.typowner::regrole, t.typacl)
from pg_type as t where t.typnamespace::regnamespace::text !~ '^pg_toast'
union all
select 'constraint', c.conrelid::regclass || '.' || c.conname, pg_get_constraintdef(c.oid)
from pg_constraint as c where c.conrelid <> 0
union all
select 'policy', p.polrelid::regclass || '.' || p.polname, pg_get_expr(p.polqual, p.polrelid)
from pg_policy as p
union all
select 'default rights',
  concat_ws(' ', d.defaclrole::regrole, d.defaclnamespace::regnamespace, d.defaclobjtype),
  d.defaclacl::text
from pg_default_acl as d
union all
select 'role', r.rolname, (to_jsonb(r) - 'oid' - 'rolconfig')::text from pg_roles as r
union all
select 'membership', concat_ws(' ', m.roleid::regrole, 'to', m.member::regrole, m.grantor::regrole),
  (to_jsonb(m) - 'oid' - 'roleid' - 'member' - 'grantor')::text
from pg_auth_members as m
union all
select 'event trigger', e.evtname, e.evtevent from pg_event_trigger as e
"""


def ours(dsn: str) -> Catalog:
    """Every object of pgrecall, and every comment, as the server describes them."""
    names = {"names": list(read_release().public_names)}
    settle, objects = statement("settle_renderings"), statement("list_schema_objects", names)
    with psycopg.connect(dsn) as connection:
        connection.execute(settle.sql, settle.parameters)
        rows = connection.execute(objects.sql, objects.parameters).fetchall()
        found = {(row[0], row[1]): str(row[3]) for row in rows}
        comments = connection.execute(COMMENTS).fetchall()
    return found | {(kind, name): text for kind, name, text in comments}


def everything(dsn: str) -> Catalog:
    """Every object of the database, and the roles of its server."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(EVERYTHING).fetchall()
    return {(kind, name): str(text) for kind, name, text in rows}


def changed(
    before: Catalog, after: Catalog
) -> dict[tuple[str, ...], tuple[str | None, str | None]]:
    """What differs, with what it was and what it is."""
    return {
        key: (before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    }
