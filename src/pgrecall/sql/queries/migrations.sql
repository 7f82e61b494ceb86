-- The statements of the migration runner, and what it asks when a migration fails.

-- name: look_at_migrations
-- Whether there is a ledger, and which of the extensions that matter the database has, with their
-- versions, or the server could give it. The catalogs are asked, since to_regclass() may answer from
-- a cache that has not heard of what another runner committed while this one waited for its turn.
select exists (
         select from pg_catalog.pg_class as c
         join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
         where n.nspname = 'agent_memory' and c.relname = 'migrations') as has_ledger,
       array(
         select wanted.name || ' ' || coalesce(installed.extversion, 'available')
         from unnest(array['btree_gin', 'vector']) as wanted (name)
         left join pg_catalog.pg_extension as installed on installed.extname = wanted.name
         where installed.extname is not null
            or exists (select from pg_catalog.pg_available_extensions as a where a.name = wanted.name)
         order by 1) as features;

-- name: list_applied_migrations
-- The time as text, since psycopg reads a timestamptz in one of the server's date styles only.
select m.name, m.checksum, m.release, to_char(m.applied_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') as applied_at, m.applied_by, m.features
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

-- name: take_turn_of_ledger
-- Of an installed schema no client can take this lock, as it could an advisory one.
lock table agent_memory.migrations in share update exclusive mode;

-- name: forget_migrations
delete from agent_memory.migrations as m where m.name = any (%(names)s::text[]);

-- name: set_lock_timeout
-- The files set the first from the second.
select set_config('lock_timeout', %(lock_timeout)s, true), set_config('pgrecall.lock_timeout', %(lock_timeout)s, true);

-- name: list_lock_holders
-- Who holds what a migration may have waited for: the named tables, or the turn to migrate.
select coalesce('table ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname), 'the turn to migrate') as locked,
       l.mode, l.pid, a.application_name as application, a.state, to_char(a.xact_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"') as since
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
