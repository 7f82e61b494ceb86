-- What the catalogs say of pgrecall's objects, and what they said when the migrations had made them.

-- name: settle_renderings
-- The server renders expressions after these settings, so they are the same for every reading.
select set_config('search_path', 'pg_catalog, pg_temp', true),
       set_config('timezone', 'UTC', true),
       set_config('datestyle', 'ISO, YMD', true),
       set_config('intervalstyle', 'iso_8601', true),
       set_config('extra_float_digits', '1', true),
       set_config('bytea_output', 'hex', true),
       set_config('quote_all_identifiers', 'off', true);

-- name: list_schema_objects
-- Every object that decides what pgrecall answers and to whom: all of schema agent_memory, what
-- bears one of the given names in schema public, and all that hangs on either. `part_of` is the
-- object with which it comes and goes, `removal` the statement that takes it away, `cure` the one
-- that brings it back, null where applying the migrations again does. Not here: comments, statistics
-- and storage parameters, which change no answer, and rights, which agent_memory.wrong_rights() tells. It is one statement so that it is one snapshot and
-- one round trip.
with settled as (
  select n.oid, n.nspowner as owner, quote_ident(r.rolname) as owner_name
  from pg_catalog.pg_namespace as n
  join pg_catalog.pg_roles as r on r.oid = n.nspowner
  where n.nspname = 'agent_memory'
),
relations as (
  select c.*, format('%%I.%%I', n.nspname, c.relname) as name,
         case c.relkind when 'v' then 'view' when 'm' then 'view' when 'S' then 'sequence'
                        else 'table' end as kind
  from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
    and (n.nspname = 'agent_memory' or n.nspname || '.' || c.relname = any (%(names)s::text[]))
    and not exists (
      select from pg_catalog.pg_depend as d
      where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
),
functions as (
  select p.*, p.oid::regprocedure::text as name,
         case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end as kind
  from pg_catalog.pg_proc as p
  join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
  where (n.nspname = 'agent_memory' or n.nspname || '.' || p.proname = any (%(names)s::text[]))
    and not exists (
      select from pg_catalog.pg_depend as d
      where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
),
types as (
  select t.*, t.oid::regtype::text as name
  from pg_catalog.pg_type as t
  join pg_catalog.pg_namespace as n on n.oid = t.typnamespace
  left join pg_catalog.pg_class as c on c.oid = t.typrelid
  where (n.nspname = 'agent_memory' or n.nspname || '.' || t.typname = any (%(names)s::text[]))
    and (t.typtype in ('e', 'd') or (t.typtype = 'c' and c.relkind = 'c'))
    and not exists (
      select from pg_catalog.pg_depend as d
      where d.classid = 'pg_catalog.pg_type'::regclass and d.objid = t.oid and d.deptype = 'e')
),
columns as (
  select r.kind || ' ' || r.name as part_of, r.name as relation, a.attname,
         format_type(a.atttypid, a.atttypmod)
         || coalesce(' COLLATE ' || (
              select quote_ident(l.collname) from pg_catalog.pg_collation as l
              join pg_catalog.pg_type as t on t.oid = a.atttypid
              where l.oid = a.attcollation and l.oid <> t.typcollation), '')
         || case a.attgenerated when '' then coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
                                when 's' then ' GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid) || ') STORED'
                                else ' GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid) || ') VIRTUAL' end
         || case when a.attidentity <> '' then ' GENERATED AS IDENTITY' else '' end
         || case when a.attnotnull then ' NOT NULL' else '' end as definition
  from relations as r
  join pg_catalog.pg_attribute as a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
  left join pg_catalog.pg_attrdef as d on d.adrelid = r.oid and d.adnum = a.attnum
),
owners as (
  select r.kind, r.name, r.relowner as owner from relations as r
  union all select f.kind, f.name, f.proowner from functions as f
  union all select 'type', t.name, t.typowner from types as t
)
select 'schema' as kind, 'agent_memory' as name, null as part_of, '' as definition, null as removal, null as cure from settled
union all
select r.kind, r.name, null, case r.relpersistence when 'u' then 'unlogged' when 'p' then '' else 'temporary' end,
       format('DROP %%s %%s;', case r.relkind when 'm' then 'MATERIALIZED VIEW' when 'f' then 'FOREIGN TABLE' else upper(r.kind) end, r.name), null
from relations as r
union all
select 'row level security', r.name, r.kind || ' ' || r.name,
       case when r.relrowsecurity then 'enabled' else 'disabled' end || case when r.relforcerowsecurity then ', forced' else '' end,
       null,
       format('ALTER TABLE %%s %%s ROW LEVEL SECURITY, %%s ROW LEVEL SECURITY;', r.name,
              case when r.relrowsecurity then 'ENABLE' else 'DISABLE' end, case when r.relforcerowsecurity then 'FORCE' else 'NO FORCE' end)
from relations as r where r.kind = 'table'
union all
select 'column', format('%%s.%%I', c.relation, c.attname), c.part_of, c.definition,
       format('ALTER TABLE %%s DROP COLUMN %%I;', c.relation, c.attname),
       format('ALTER TABLE %%s ADD COLUMN %%I %%s;', c.relation, c.attname, c.definition)
from columns as c
union all
select 'constraint', format('%%I on %%s', c.conname, r.name), r.kind || ' ' || r.name,
       pg_get_constraintdef(c.oid) || case when exists (
         select from pg_catalog.pg_trigger as t where t.tgconstraint = c.oid and t.tgenabled = 'D') then ' (not enforced)' else '' end,
       format('ALTER TABLE %%s DROP CONSTRAINT %%I;', r.name, c.conname),
       format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s;', r.name, c.conname, pg_get_constraintdef(c.oid))
from relations as r
join pg_catalog.pg_constraint as c on c.conrelid = r.oid
-- Not null is a constraint of its own since 18; it stands with the column.
where c.contype not in ('n', 't')
union all
select 'index', i.indexrelid::regclass::text, r.kind || ' ' || r.name,
       pg_get_indexdef(i.indexrelid) || case when i.indisvalid and i.indisready then '' else ' (invalid)' end,
       format('DROP INDEX %%s;', i.indexrelid::regclass),
       regexp_replace(pg_get_indexdef(i.indexrelid), '^CREATE (UNIQUE )?INDEX ', 'CREATE \1INDEX CONCURRENTLY ') || ';'
from relations as r
join pg_catalog.pg_index as i on i.indrelid = r.oid
where not exists (select from pg_catalog.pg_constraint as c where c.conindid = i.indexrelid and c.conrelid = r.oid)
union all
select 'policy', format('%%I on %%s', p.polname, r.name), r.kind || ' ' || r.name,
       concat_ws(' ', case when p.polpermissive then 'permissive' else 'restrictive' end, 'for',
                 case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
                 'to', (select string_agg(case o when 0 then 'public' else pg_get_userbyid(o)::text end, ', ' order by 1) from unnest(p.polroles) as o),
                 'using ' || pg_get_expr(p.polqual, p.polrelid), 'with check ' || pg_get_expr(p.polwithcheck, p.polrelid)),
       format('DROP POLICY %%I ON %%s;', p.polname, r.name), null
from relations as r
join pg_catalog.pg_policy as p on p.polrelid = r.oid
union all
select 'trigger', format('%%I on %%s', t.tgname, r.name), r.kind || ' ' || r.name,
       pg_get_triggerdef(t.oid) || case t.tgenabled when 'D' then ' (disabled)' else '' end,
       format('DROP TRIGGER %%I ON %%s;', t.tgname, r.name), pg_get_triggerdef(t.oid) || ';'
from relations as r
join pg_catalog.pg_trigger as t on t.tgrelid = r.oid and not t.tgisinternal
union all
select 'rule', format('%%I on %%s', w.rulename, r.name), r.kind || ' ' || r.name, pg_get_ruledef(w.oid),
       format('DROP RULE %%I ON %%s;', w.rulename, r.name), pg_get_ruledef(w.oid)
from relations as r
join pg_catalog.pg_rewrite as w on w.ev_class = r.oid
union all
select f.kind, f.name, null,
       concat_ws(', ', case when f.prosecdef then 'security definer' else 'security invoker' end,
                 case f.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end,
                 'with ' || array_to_string(f.proconfig, ' and '),
                 'text ' || left(encode(sha256(convert_to(
                   case f.prokind when 'a' then '' else pg_get_functiondef(f.oid) end, 'UTF8')), 'hex'), 32)),
       format('DROP %%s %%s;', upper(f.kind), f.name), null
from functions as f
union all
select 'type', t.name, null,
       coalesce((select string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' order by a.attnum)
                 from pg_catalog.pg_attribute as a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped),
                (select string_agg(e.enumlabel, ', ' order by e.enumsortorder) from pg_catalog.pg_enum as e where e.enumtypid = t.oid),
                format_type(t.typbasetype, t.typtypmod)),
       format('DROP TYPE %%s;', t.name), null
from types as t
union all
select 'owner', o.kind || ' ' || o.name, o.kind || ' ' || o.name,
       case when o.owner = s.owner then 'the owner of schema agent_memory' else pg_get_userbyid(o.owner) end, null,
       format('ALTER %%s %%s OWNER TO %%s;', upper(o.kind), o.name,
              case when o.owner = s.owner then s.owner_name else quote_ident(pg_get_userbyid(o.owner)) end)
from owners as o cross join settled as s
union all
select 'role', quote_ident(r.rolname), null,
       concat_ws(', ', case when r.rolsuper then 'superuser' end, case when r.rolbypassrls then 'bypasses row level security' end,
                 case when r.rolcreaterole then 'creates roles' end, case when r.rolcanlogin then 'logs in' end),
       null,
       format('ALTER ROLE %%I %%s %%s %%s %%s;', r.rolname, case when r.rolsuper then 'SUPERUSER' else 'NOSUPERUSER' end,
              case when r.rolbypassrls then 'BYPASSRLS' else 'NOBYPASSRLS' end,
              case when r.rolcreaterole then 'CREATEROLE' else 'NOCREATEROLE' end,
              case when r.rolcanlogin then 'LOGIN' else 'NOLOGIN' end)
from pg_catalog.pg_roles as r where r.rolname in ('anon', 'authenticated', 'service_role')
union all
select 'membership', format('%%I in %%I', r.rolname, pg_get_userbyid(m.roleid)), 'role ' || quote_ident(r.rolname), '',
       format('REVOKE %%I FROM %%I;', pg_get_userbyid(m.roleid), r.rolname),
       format('GRANT %%I TO %%I;', pg_get_userbyid(m.roleid), r.rolname)
from pg_catalog.pg_auth_members as m
join pg_catalog.pg_roles as r on r.oid = m.member and r.rolname in ('anon', 'authenticated', 'service_role')
group by r.rolname, m.roleid
order by 1, 2;

-- name: has_fingerprints
select exists (
  select from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  where n.nspname = 'agent_memory' and c.relname = 'fingerprints') as has_fingerprints;

-- name: list_fingerprints
select f.kind, f.name, f.part_of, f.definition, null::text as removal, f.cure
from agent_memory.fingerprints as f
order by 1, 2;

-- name: record_fingerprints
insert into agent_memory.fingerprints as f (kind, name, part_of, definition, cure)
select * from unnest(%(kinds)s::text[], %(names)s::text[], %(parts)s::text[], %(definitions)s::text[], %(cures)s::text[])
on conflict (kind, name) do update
set part_of = excluded.part_of, definition = excluded.definition, cure = excluded.cure;

-- name: drop_fingerprints
delete from agent_memory.fingerprints as f
using unnest(%(kinds)s::text[], %(names)s::text[]) as gone (kind, name)
where f.kind = gone.kind and f.name = gone.name;
