-- What `pgrecall doctor` reads of the schema from the catalogs, which every role may read.

-- name: doctor_guarded_tables
select n.nspname || '.' || c.relname as name, c.relname::text as short, c.relrowsecurity as is_guarded,
       array(select p.polname::text from pg_catalog.pg_policy as p where p.polrelid = c.oid order by 1) as policies,
       array(select p.polname::text from pg_catalog.pg_policy as p where p.polrelid = c.oid and p.polpermissive order by 1) as permissive
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where n.nspname || '.' || c.relname = any (%(tables)s::text[]) and c.relkind in ('r', 'p')
order by 1;

-- name: doctor_definers
select p.oid::regprocedure::text as name, pg_get_userbyid(p.proowner)::text as owner, p.proowner = s.nspowner as is_ours,
       coalesce(p.proconfig, '{}') as settings, quote_ident(pg_get_userbyid(s.nspowner)) as schema_owner
from pg_catalog.pg_proc as p
join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
cross join pg_catalog.pg_namespace as s
where p.prosecdef and s.nspname = 'agent_memory'
  and (n.nspname = 'agent_memory' or n.nspname || '.' || p.proname = any (%(names)s::text[]))
order by 1;

-- name: doctor_wrong_rights
select w.kind, w.name, w.grantee, w.privilege, w.problem, w.cure
from agent_memory.wrong_rights() as w
order by w.kind, w.name, w.grantee, w.problem, w.privilege;

-- name: doctor_wide_grants
-- Everything that the public and anon have, and what a signed-in caller has beyond reading the tables
-- of schema public.
select format('%%I.%%I', n.nspname, c.relname) as table,
       case g.grantee when 0 then 'public' else pg_get_userbyid(g.grantee)::text end as grantee,
       string_agg(g.privilege_type, ', ' order by g.privilege_type) as privileges
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
cross join aclexplode(c.relacl) as g
left join pg_catalog.pg_roles as r on r.oid = g.grantee
where n.nspname || '.' || c.relname = any (%(tables)s::text[])
  and (g.grantee = 0 or r.rolname = 'anon' or (r.rolname = 'authenticated' and (g.privilege_type <> 'SELECT' or n.nspname = 'agent_memory')))
group by 1, 2
order by 1, 2;

-- name: doctor_client_roles
select r.rolname::text as name, r.rolsuper as is_superuser, r.rolbypassrls as bypasses_rls, r.rolcreaterole as creates_roles,
       array(select quote_ident(pg_get_userbyid(m.roleid)) from pg_catalog.pg_auth_members as m where m.member = r.oid order by 1)
         as memberships
from pg_catalog.pg_roles as r
where r.rolname = any (%(roles)s::text[])
order by 1;

-- name: doctor_disabled_triggers
select format('%%I.%%I', n.nspname, c.relname) as table, count(*)::integer as triggers
from pg_catalog.pg_trigger as t
join pg_catalog.pg_class as c on c.oid = t.tgrelid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where n.nspname || '.' || c.relname = any (%(tables)s::text[]) and t.tgisinternal and t.tgenabled = 'D'
group by 1
order by 1;

-- name: doctor_invalid_indexes
-- A rebuild that was interrupted leaves an index beside the one that it was to replace.
select i.indexrelid::regclass::text as name, i.indrelid::regclass::text as table, x.relname ~ '_cc(new|old)[0-9]*$' as is_leftover
from pg_catalog.pg_index as i
join pg_catalog.pg_class as x on x.oid = i.indexrelid
join pg_catalog.pg_class as c on c.oid = i.indrelid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where n.nspname || '.' || c.relname = any (%(tables)s::text[]) and not (i.indisvalid and i.indisready and i.indislive)
order by 1;

-- name: doctor_index_use
-- Equal are indexes of a table that have the same keys, operators, order and condition.
with indexes as (
  select i.indexrelid as oid, i.indrelid, x.relname, i.indisunique, i.indexrelid::regclass::text as name,
         concat_ws('|', x.relam, i.indkey, i.indclass, i.indcollation, i.indoption, pg_get_expr(i.indexprs, i.indrelid),
                   pg_get_expr(i.indpred, i.indrelid), i.indisunique) as form,
         i.indisunique or exists (select from pg_catalog.pg_constraint as c where c.conindid = i.indexrelid) as is_needed
  from pg_catalog.pg_index as i
  join pg_catalog.pg_class as x on x.oid = i.indexrelid
  join pg_catalog.pg_class as c on c.oid = i.indrelid
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  where n.nspname || '.' || c.relname = any (%(tables)s::text[]) and i.indisvalid
)
select i.name, i.indrelid::regclass::text as table, i.relname::text as is_own, i.is_needed, pg_relation_size(i.oid) as size,
       coalesce(s.idx_scan, 0) as reads,
       (extract(epoch from clock_timestamp() - coalesce(d.stats_reset, pg_postmaster_start_time())) / 86400)::double precision
         as counted_days,
       array(select t.name from indexes as t where t.indrelid = i.indrelid and t.form = i.form and t.oid <> i.oid order by 1) as twins
from indexes as i
left join pg_catalog.pg_stat_all_indexes as s on s.indexrelid = i.oid
left join pg_catalog.pg_stat_database as d on d.datname = current_database()
order by 1;

-- name: doctor_btrees
-- Widths are shown of tables that this role may read. An expression's stand under the index's name.
select i.indexrelid::regclass::text as name, x.relpages as pages, greatest(x.reltuples, 0)::double precision as entries, w.width
from pg_catalog.pg_index as i
join pg_catalog.pg_class as x on x.oid = i.indexrelid
join pg_catalog.pg_am as m on m.oid = x.relam and m.amname = 'btree'
join pg_catalog.pg_class as c on c.oid = i.indrelid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
cross join lateral (
  select sum(s.avg_width)::double precision as width, count(s.avg_width) as widths
  from pg_catalog.pg_attribute as k
  left join pg_catalog.pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[k.attnum - 1]
  left join pg_catalog.pg_stats as s
    on s.schemaname = n.nspname and s.tablename = case when a.attname is null then x.relname else c.relname end
   and s.attname = coalesce(a.attname, k.attname)
  where k.attrelid = i.indexrelid
) as w
where n.nspname || '.' || c.relname = any (%(tables)s::text[]) and w.widths = i.indnatts
order by 1;

-- name: doctor_hnsw_size
select quote_ident(current_database()) as database, count(x)::integer as indexes, coalesce(sum(pg_relation_size(x.oid)), 0)::bigint as size,
       pg_size_bytes(current_setting('effective_cache_size')) as memory,
       coalesce((select s.source in ('database', 'database user') from pg_catalog.pg_settings as s where s.name = 'effective_cache_size'), false)
         as is_given
from pg_catalog.pg_class as x
join pg_catalog.pg_am as m on m.oid = x.relam and m.amname = 'hnsw'
join pg_catalog.pg_index as i on i.indexrelid = x.oid
join pg_catalog.pg_class as c on c.oid = i.indrelid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where n.nspname || '.' || c.relname = any (%(tables)s::text[]);
