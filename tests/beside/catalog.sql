-- Every object of a database but the system's own, as its catalog row has it, without what
-- maintenance and statistics change.
select 'schema' as kind, oid::text as id, nspname::text as name, to_jsonb(n) as definition
from pg_catalog.pg_namespace as n
union all
select 'extension', oid::text, extname, to_jsonb(e)
from pg_catalog.pg_extension as e
union all
select
  'relation',
  oid::text,
  relname,
  to_jsonb(c) - array[
    'relfilenode', 'relpages', 'reltuples', 'relallvisible', 'relallfrozen', 'relfrozenxid',
    'relminmxid'
  ]
from pg_catalog.pg_class as c
where oid >= 16384
union all
select 'column', format('%s.%s', attrelid, attnum), attname, to_jsonb(a) - 'attmissingval'
from pg_catalog.pg_attribute as a
where attrelid >= 16384
union all
select 'default', oid::text, pg_get_expr(adbin, adrelid), to_jsonb(d)
from pg_catalog.pg_attrdef as d
union all
select 'index', indexrelid::text, indexrelid::regclass::text, to_jsonb(i)
from pg_catalog.pg_index as i
where indexrelid >= 16384
union all
select 'constraint', oid::text, conname, to_jsonb(c)
from pg_catalog.pg_constraint as c
where oid >= 16384
union all
select 'function', oid::text, proname, to_jsonb(p)
from pg_catalog.pg_proc as p
where oid >= 16384
union all
select 'type', oid::text, typname, to_jsonb(t)
from pg_catalog.pg_type as t
where oid >= 16384
union all
select 'policy', oid::text, polname, to_jsonb(p)
from pg_catalog.pg_policy as p
union all
select 'trigger', oid::text, tgname, to_jsonb(t)
from pg_catalog.pg_trigger as t
union all
select 'comment', format('%s.%s.%s', classoid, objoid, objsubid), left(description, 60), to_jsonb(d)
from pg_catalog.pg_description as d
where objoid >= 16384;
