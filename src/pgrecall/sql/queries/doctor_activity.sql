-- What `pgrecall doctor` asks about sessions, tables and disks: what the server counts.

-- name: doctor_sessions
-- Of sessions of other roles only members of pg_read_all_stats see more than the process.
select a.pid, coalesce(a.usename, '')::text as login, coalesce(a.application_name, '') as application, coalesce(a.state, '') as state,
       coalesce(extract(epoch from clock_timestamp() - a.state_change), 0)::double precision as resting,
       coalesce(extract(epoch from clock_timestamp() - a.query_start), 0)::double precision as running,
       case when a.wait_event_type = 'Lock' then pg_blocking_pids(a.pid) else '{}' end as blockers
from pg_catalog.pg_stat_activity as a
where a.datname = current_database() and a.pid <> pg_backend_pid() and a.backend_type = 'client backend'
order by a.pid;

-- name: doctor_prepared_transactions
select p.gid, extract(epoch from clock_timestamp() - p.prepared)::double precision as waiting
from pg_catalog.pg_prepared_xacts as p
where p.database = current_database()
order by 1;

-- name: doctor_connection_limits
-- Of the server without what it keeps for superusers; of the database and of roles where they have one.
with used as (
  select a.datname, a.usename, a.state
  from pg_catalog.pg_stat_activity as a
  where a.backend_type = 'client backend' and a.pid <> pg_backend_pid()
)
select 'the server' as subject, count(u)::integer as used, count(u) filter (where u.state = 'idle')::integer as idle,
       (select sum(case s.name when 'max_connections' then s.setting::integer else - s.setting::integer end)::integer
        from pg_catalog.pg_settings as s
        where s.name in ('max_connections', 'superuser_reserved_connections', 'reserved_connections')) as allowed
from (values (1)) as one (row) left join used as u on true
union all
select 'database ' || quote_ident(d.datname), count(u)::integer, count(u) filter (where u.state = 'idle')::integer, d.datconnlimit
from pg_catalog.pg_database as d
left join used as u on u.datname = d.datname
where d.datname = current_database() and d.datconnlimit >= 0
group by d.datname, d.datconnlimit
union all
select 'role ' || quote_ident(r.rolname), count(u)::integer, count(u) filter (where u.state = 'idle')::integer, r.rolconnlimit
from pg_catalog.pg_roles as r
join used as u on u.usename = r.rolname and u.datname = current_database()
where r.rolconnlimit >= 0
group by r.rolname, r.rolconnlimit
order by 1 desc;

-- name: doctor_vacuum
select format('%%I.%%I', s.schemaname, s.relname) as name, s.n_live_tup as live, s.n_dead_tup as dead,
       s.last_vacuum is not null or s.last_autovacuum is not null as is_vacuumed,
       coalesce(o.is_left_out, false) as is_left_out, age(c.relfrozenxid) as age,
       coalesce(o.freeze_age, current_setting('autovacuum_freeze_max_age')::integer) as freeze_age
from pg_catalog.pg_stat_all_tables as s
join pg_catalog.pg_class as c on c.oid = s.relid
cross join lateral (
  select bool_or(lower(option.option_value) in ('false', 'off', 'no', '0')) filter (where option.option_name = 'autovacuum_enabled')
           as is_left_out,
         max(option.option_value) filter (where option.option_name = 'autovacuum_freeze_max_age')::integer as freeze_age
  from pg_options_to_table(c.reloptions) as option
) as o
where s.schemaname || '.' || s.relname = any (%(tables)s::text[])
order by 1;

-- name: doctor_autovacuum
select current_setting('autovacuum')::boolean and current_setting('track_counts')::boolean as is_automatic;

-- name: doctor_statistics
select format('%%I.%%I', s.schemaname, s.relname) as name, s.n_live_tup as live, s.n_mod_since_analyze as changed,
       s.last_analyze is not null or s.last_autoanalyze is not null as is_analyzed
from pg_catalog.pg_stat_all_tables as s
where s.schemaname || '.' || s.relname = any (%(tables)s::text[])
order by 1;

-- name: doctor_folders
-- The server's data, and the tablespaces that something of this database lies in. The data folder is
-- shown to members of pg_read_all_settings.
select case when pg_has_role('pg_read_all_settings', 'usage') then current_setting('data_directory') end as folder,
       null::text as tablespace
union all
select pg_tablespace_location(t.oid), quote_ident(t.spcname)
from pg_catalog.pg_tablespace as t
where t.spcname not in ('pg_default', 'pg_global')
  and exists (select from pg_catalog.pg_class as c where c.reltablespace = t.oid);

-- name: doctor_unread_slots
select s.slot_name::text as name,
       coalesce(pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end, s.restart_lsn), 0)::bigint
         as kept
from pg_catalog.pg_replication_slots as s
where not s.active and s.restart_lsn is not null
order by 1;
