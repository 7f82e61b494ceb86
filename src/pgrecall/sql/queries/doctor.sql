-- What `pgrecall doctor` asks about the server, the connection and the settings. All of it is read
-- in transactions that can't write.

-- name: doctor_begin
-- The search path keeps what others put into public from being called.
select set_config('transaction_read_only', 'on', true),
       set_config('search_path', 'pg_catalog, pg_temp', true),
       set_config('statement_timeout', %(timeout)s, true),
       set_config('lock_timeout', '1s', true);

-- name: doctor_outlook
-- By the catalogs, since to_regclass() fails in a schema that this role may not use. Row Level
-- Security hides rows without an error, so whether a table can be read is asked with it.
with relations as (
  select n.nspname || '.' || c.relname as name,
         has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') and not row_security_active(c.oid) as is_read
  from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  where n.nspname || '.' || c.relname in (
    'agent_memory.migrations', 'agent_memory.fingerprints', 'public.ai_memories', 'agent_memory.organizations', 'agent_memory.embeddings', 'agent_memory.backups')
)
select current_database()::text as database, session_user::text as session_user, pg_backend_pid() as backend_pid,
       current_setting('server_version_num')::integer as version,
       (select r.rolsuper from pg_catalog.pg_roles as r where r.rolname = current_user) as is_superuser,
       pg_is_in_recovery() as is_replica,
       exists (
         select from pg_catalog.pg_proc as p
         join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
         where n.nspname = 'agent_memory' and p.proname = 'active_organization') as has_schema,
       exists (select from relations as r where r.name = 'agent_memory.migrations') as has_ledger,
       exists (select from relations as r where r.name = 'agent_memory.fingerprints') as has_reference,
       coalesce((select r.is_read from relations as r where r.name = 'agent_memory.migrations'), false) as reads_ledger,
       coalesce((select r.is_read from relations as r where r.name = 'agent_memory.fingerprints'), false) as reads_reference,
       -- Where the function is missing, asking it says so.
       coalesce((
         select has_schema_privilege(n.oid, 'usage') and has_function_privilege(p.oid, 'execute')
         from pg_catalog.pg_namespace as n
         left join pg_catalog.pg_proc as p on p.pronamespace = n.oid and p.proname = 'wrong_rights' and p.pronargs = 0
         where n.nspname = 'agent_memory'), true) as reads_rights,
       (select count(*) = 2 from relations as r where r.is_read and r.name in ('public.ai_memories', 'agent_memory.organizations'))
         as reads_memories,
       coalesce((select r.is_read from relations as r where r.name = 'agent_memory.backups'), false) as reads_backups,
       pg_has_role('pg_read_all_stats', 'usage') as sees_sessions,
       pg_has_role('pg_read_all_settings', 'usage') as sees_settings,
       exists (
         select from pg_catalog.pg_attribute as a
         join pg_catalog.pg_class as c on c.oid = a.attrelid
         join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
         where n.nspname = 'agent_memory' and c.relname = 'embeddings' and a.attname = 'embedding' and not a.attisdropped) as has_vector;

-- name: doctor_encryption
-- By which protocol and cipher; null without TLS.
select (select s.version || ' ' || s.cipher from pg_catalog.pg_stat_ssl as s where s.pid = pg_backend_pid() and s.ssl) as tls;

-- name: doctor_vector_release
select (select e.extversion from pg_catalog.pg_extension as e where e.extname = 'vector') as installed,
       (select a.default_version from pg_catalog.pg_available_extensions as a where a.name = 'vector') as at_hand;

-- name: doctor_inherited_identity
-- What a new connection should not bring along. That a database or a role gives it is told elsewhere.
select given.name
from (values
  ('role', session_user <> current_user),
  ('request.jwt.claims', nullif(current_setting('request.jwt.claims', true), '') is not null),
  ('request.jwt.claim.sub', nullif(current_setting('request.jwt.claim.sub', true), '') is not null)
) as given (name, is_set)
where given.is_set
  and not exists (
    select from pg_catalog.pg_db_role_setting as s
    cross join unnest(s.setconfig) as c (entry)
    where c.entry like given.name || '=%%');

-- name: doctor_given_settings
select quote_ident(d.datname) as database, quote_ident(r.rolname) as role,
       (select string_agg(quote_ident(part), '.' order by place)
        from unnest(string_to_array(split_part(c.entry, '=', 1), '.')) with ordinality as p (part, place)) as name,
       substr(c.entry, strpos(c.entry, '=') + 1) as value
from pg_catalog.pg_db_role_setting as s
cross join unnest(s.setconfig) as c (entry)
left join pg_catalog.pg_database as d on d.oid = s.setdatabase
left join pg_catalog.pg_roles as r on r.oid = s.setrole
where s.setdatabase = 0 or d.datname = current_database()
order by 1, 2, 3;

-- name: doctor_clock
select extract(epoch from clock_timestamp())::double precision as seconds;

-- name: doctor_logins
-- The named roles, and those of sessions of pgrecall's own that work in this database.
with used as (
  select a.usesysid as role, count(*) as sessions
  from pg_catalog.pg_stat_activity as a
  where a.datname = current_database() and a.application_name = 'pgrecall'
  group by 1
)
select r.rolname::text as name, r.rolsuper as is_superuser, r.rolbypassrls as bypasses_rls, coalesce(u.sessions, 0)::integer as sessions
from pg_catalog.pg_roles as r
left join used as u on u.role = r.oid
where u.role is not null or r.rolname = any (%(named)s::text[])
order by 1;

-- name: doctor_extensions
-- What the functions were made for: the schema whose operators agent_memory.nearest() names.
select a.name::text as name, a.default_version as at_hand, e.extversion as installed, n.nspname::text as schema,
       case when a.name = 'vector' then (
         select (regexp_match(p.prosrc, 'operator\((\S+)\.<=>\)'))[1]
         from pg_catalog.pg_proc as p
         where p.pronamespace = 'agent_memory'::regnamespace and p.proname = 'nearest' limit 1) end as made_for
from pg_catalog.pg_available_extensions as a
left join pg_catalog.pg_extension as e on e.extname = a.name
left join pg_catalog.pg_namespace as n on n.oid = e.extnamespace
where a.name = any (%(names)s::text[])
order by 1;
