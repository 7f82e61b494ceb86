-- The statements of the migration runner, and what it asks when a migration fails.

-- name: look_at_migrations
-- Whether there are a ledger and fingerprints, and which of the named extensions the database has, with their
-- versions, or the server could give it. The catalogs are asked, since to_regclass() may answer from
-- a cache that has not heard of what another runner committed while this one waited for its turn.
-- What a server could give is asked last, since it takes milliseconds.
select exists (
         select from pg_catalog.pg_class as c
         join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
         join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attname = 'checksum'
         where n.nspname = 'agent_memory' and c.relname = 'migrations') as has_ledger,
       exists (
         select from pg_catalog.pg_class as c
         join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
         where n.nspname = 'agent_memory' and c.relname = 'fingerprints') as has_fingerprints,
       array(
         select wanted.name || ' ' || coalesce(installed.extversion, 'available')
         from unnest(%(extensions)s::text[]) as wanted (name)
         left join pg_catalog.pg_extension as installed on installed.extname = wanted.name
         where installed.extname is not null
            or exists (select from pg_catalog.pg_available_extensions as a where a.name = wanted.name)
         order by 1) as features;

-- name: list_names_taken
-- Where pgrecall has never been: what bears one of its names, so that it would be taken for its own
-- (a type), replaced (a function), or called in its stead (a function with other arguments); and a
-- schema agent_memory with contents, or of an owner who could later drop what is in it.
select taken.what, format('ALTER %%s RENAME TO %%I;', taken.what, taken.name || '_before_pgrecall') as cure
from (
  select 1 as place, c.relname as name, format('%%s %%I.%%I', case c.relkind
      when 'v' then 'VIEW' when 'm' then 'MATERIALIZED VIEW' when 'f' then 'FOREIGN TABLE' when 'S' then 'SEQUENCE'
      when 'i' then 'INDEX' when 'I' then 'INDEX' when 'c' then 'TYPE' else 'TABLE' end, n.nspname, c.relname) as what
  from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  where n.nspname || '.' || c.relname = any (%(names)s::text[])
  union all
  select 2, t.typname, format('%%s %%I.%%I', case t.typtype when 'd' then 'DOMAIN' else 'TYPE' end, n.nspname, t.typname)
  from pg_catalog.pg_type as t
  join pg_catalog.pg_namespace as n on n.oid = t.typnamespace
  where n.nspname || '.' || t.typname = any (%(names)s::text[]) and t.typrelid = 0
  union all
  select 3, p.proname, format('%%s %%I.%%I(%%s)', case p.prokind when 'p' then 'PROCEDURE' when 'a' then 'AGGREGATE' else 'FUNCTION' end,
                              n.nspname, p.proname, replace(oidvectortypes(p.proargtypes), ', ', ','))
  from pg_catalog.pg_proc as p
  join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
  where n.nspname || '.' || p.proname = any (%(names)s::text[])
  union all
  select 4, n.nspname, 'SCHEMA agent_memory'
  from pg_catalog.pg_namespace as n
  join pg_catalog.pg_roles as r on r.oid = n.nspowner
  where n.nspname = 'agent_memory'
    and (exists (select from pg_catalog.pg_class as c where c.relnamespace = n.oid)
         or exists (select from pg_catalog.pg_proc as p where p.pronamespace = n.oid)
         or exists (select from pg_catalog.pg_type as t where t.typnamespace = n.oid)
         or not (r.rolsuper or r.rolname = current_user))
) as taken
where not exists (
  select from pg_catalog.pg_proc as p
  join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
  where n.nspname = 'agent_memory' and p.proname = 'active_organization')
order by taken.place, taken.what;

-- name: list_applied_migrations
-- The time as text, since psycopg reads a timestamptz in one of the server's date styles only.
select m.name, m.checksum, to_char(m.applied_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') as applied_at, m.applied_by, m.features
from agent_memory.migrations as m;

-- name: begin_migration
-- The search path keeps what others put into public from being called by a superuser.
select set_config('search_path', 'pg_catalog, pg_temp', true),
       set_config('statement_timeout', '0', true),
       set_config('idle_in_transaction_session_timeout', '0', true),
       set_config('lock_timeout', %(lock_timeout)s, true);

-- name: take_turn
-- The letters of "pgrecall". A lock of the transaction, since a pooler may give each transaction
-- another session.
select pg_advisory_xact_lock(8099568234633718892);

-- name: set_lock_timeout
select set_config('lock_timeout', %(lock_timeout)s, true);

-- name: record_migration
insert into agent_memory.migrations as m (name, checksum, applied_at, applied_by, features)
values (%(name)s, %(checksum)s, clock_timestamp(), session_user, %(features)s::text[])
on conflict (name) do update
set checksum = excluded.checksum, applied_at = excluded.applied_at,
    applied_by = excluded.applied_by, features = excluded.features;

-- name: list_lock_holders
-- Who holds what a migration may have waited for: the named tables, or the turn to migrate.
select coalesce('table ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname), 'the turn to migrate') as locked,
       l.mode, l.pid, a.application_name, a.state, to_char(a.xact_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"') as since
from pg_catalog.pg_locks as l
join pg_catalog.pg_database as d on d.oid = l.database and d.datname = current_database()
left join pg_catalog.pg_class as c on l.locktype = 'relation' and c.oid = l.relation
left join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
left join pg_catalog.pg_stat_activity as a on a.pid = l.pid
where l.granted and l.pid is distinct from pg_backend_pid()
  and (n.nspname || '.' || c.relname = any (%(tables)s::text[])
       or (l.locktype = 'advisory' and l.objsubid = 1
           and (l.classid::bigint << 32 | l.objid::bigint) = 8099568234633718892))
order by a.xact_start, l.pid, 1
limit 5;

-- name: list_foreign_relations
-- What bears the name of one of pgrecall's tables, but is no table or, in schema public, none by
-- organization.
select case c.relkind when 'v' then 'view ' when 'm' then 'materialized view ' when 'f' then 'foreign table '
                      when 'S' then 'sequence ' when 'i' then 'index ' when 'c' then 'type ' else 'table ' end
       || quote_ident(n.nspname) || '.' || quote_ident(c.relname)
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where n.nspname || '.' || c.relname = any (%(tables)s::text[])
  and not (c.relkind in ('r', 'p') and (n.nspname <> 'public' or exists (
    select from pg_catalog.pg_attribute as a
    where a.attrelid = c.oid and a.attname = 'organization_id' and a.attnotnull
      and a.atttypid = 'pg_catalog.uuid'::regtype)))
order by 1;

-- name: list_missing_grants
-- What the connected role lacks to create anything, and what cures it.
select missing.what, missing.cure
from (
  select 1 as place, 'CREATE on database ' || quote_ident(current_database()) as what,
         'As its owner or a superuser: GRANT CREATE ON DATABASE ' || quote_ident(current_database()) || ' TO ' || quote_ident(current_user) || ';' as cure
  where not has_database_privilege(current_database(), 'CREATE')
  union all
  select 2, 'USAGE and CREATE on schema public',
         'As its owner or a superuser: GRANT USAGE, CREATE ON SCHEMA public TO ' || quote_ident(current_user) || ';'
  from pg_catalog.pg_namespace as n
  where n.nspname = 'public'
    and not (has_schema_privilege(n.oid, 'USAGE') and has_schema_privilege(n.oid, 'CREATE'))
) as missing
order by missing.place;

-- name: list_foreign_owners
-- What belongs to a role that the connected one does not act for, and what cures it; nobody is told
-- to become a superuser's member.
select 'ownership of ' || owned.object || ', which belongs to ' || quote_ident(r.rolname) as what,
       case when r.rolsuper then 'Run the migrations as ' || quote_ident(r.rolname) || '.'
            else 'Run the migrations as ' || quote_ident(r.rolname) || ', or let this role act for it: GRANT '
                 || quote_ident(r.rolname) || ' TO ' || quote_ident(current_user) || ';' end as cure
from (
  select 1 as place, 'schema agent_memory' as object, n.nspowner as owner
  from pg_catalog.pg_namespace as n where n.nspname = 'agent_memory'
  union all
  select 2, 'table ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relowner
  from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  where n.nspname || '.' || c.relname = any (%(tables)s::text[])
  union all
  select 3, 'function ' || quote_ident(n.nspname) || '.' || quote_ident(p.proname), p.proowner
  from pg_catalog.pg_proc as p
  join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
  where n.nspname = 'agent_memory'
) as owned
join pg_catalog.pg_roles as r on r.oid = owned.owner
where not pg_has_role(current_user, owned.owner, 'USAGE')
order by owned.place, owned.object
limit 1;
