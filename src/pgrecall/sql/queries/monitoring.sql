-- What the monitoring reads, as the login that it was given; nothing is locked and no memory read.
-- Each column but the labels (table, index, state, replica, extent, organization, statement) is a metric.

-- name: monitor_settings
-- For this transaction: a look is given up soon, and waits for nobody's lock.
select set_config('statement_timeout', '5s', true), set_config('lock_timeout', '1s', true);

-- name: monitor_database
select pg_database_size(d.datid) as size_bytes, d.xact_commit, d.xact_rollback, d.blks_hit, d.blks_read,
       d.deadlocks, d.temp_bytes,
       current_setting('max_connections')::integer as max_connections, pg_is_in_recovery()::integer as is_replica
from pg_catalog.pg_stat_database as d
where d.datname = current_database();

-- name: monitor_connections
select coalesce(a.state, 'hidden') as state, count(*) as connections
from pg_catalog.pg_stat_activity as a
where a.datname = current_database() and a.backend_type = 'client backend' and a.pid <> pg_backend_pid()
group by 1;

-- name: monitor_activity
select coalesce(max(extract(epoch from clock_timestamp() - a.xact_start)), 0)::float8 as oldest_transaction_seconds,
       coalesce(max(extract(epoch from clock_timestamp() - a.state_change)) filter (where a.state like 'idle in transaction%%'), 0)::float8
         as idle_in_transaction_seconds,
       count(*) filter (where a.wait_event_type = 'Lock') as waiting_for_locks
from pg_catalog.pg_stat_activity as a
where a.datname = current_database() and a.backend_type = 'client backend' and a.pid <> pg_backend_pid();

-- name: monitor_tables
-- Rows are estimates: those of the last ANALYZE or VACUUM, else those that were counted since.
select n.nspname || '.' || c.relname as table, pg_relation_size(c.oid) as size_bytes, pg_indexes_size(c.oid) as indexes_bytes,
       pg_total_relation_size(c.oid) as total_bytes,
       greatest(c.reltuples, s.n_live_tup)::bigint as rows, s.n_dead_tup as dead_rows,
       coalesce(s.seq_scan, 0) as sequential_scans, coalesce(s.idx_scan, 0) as index_scans,
       age(c.relfrozenxid) as frozen_age
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
join pg_catalog.pg_stat_all_tables as s on s.relid = c.oid
where n.nspname || '.' || c.relname = any (%(tables)s::text[]);

-- name: monitor_indexes
select n.nspname || '.' || c.relname as table, x.relname as index, pg_relation_size(x.oid) as size_bytes,
       coalesce(s.idx_scan, 0) as scans, i.indisvalid::integer as is_valid
from pg_catalog.pg_index as i
join pg_catalog.pg_class as x on x.oid = i.indexrelid
join pg_catalog.pg_class as c on c.oid = i.indrelid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
left join pg_catalog.pg_stat_all_indexes as s on s.indexrelid = x.oid
where n.nspname || '.' || c.relname = any (%(tables)s::text[]);

-- name: monitor_replication
select coalesce(nullif(r.application_name, ''), 'unnamed') as replica,
       max(pg_wal_lsn_diff(pg_current_wal_lsn(), r.replay_lsn))::float8 as lag_bytes
from pg_catalog.pg_stat_replication as r
where r.replay_lsn is not null and not pg_is_in_recovery()
group by 1;

-- name: monitor_backups
-- Ages of the newest state that a backup holds, and of the newest proof that one can be restored, of
-- whole databases and of organizations; no row while there is none.
select case when b.organization_id = '00000000-0000-0000-0000-000000000000' then 'database' else 'organization' end as extent,
       extract(epoch from clock_timestamp() - max(b.snapshot_at) filter (where b.action = 'backup'))::float8 as backup_age_seconds,
       extract(epoch from clock_timestamp() - max(b.finished_at) filter (where b.action = 'verification'))::float8 as verification_age_seconds
from agent_memory.backups as b
where b.state = 'done' and b.deleted_at is null
group by 1;

-- name: monitor_counts
-- What clients counted, of all organizations together, or by organization.
select case when %(by_organization)s::boolean then s.organization_id::text else '' end as organization,
       sum(s.added)::bigint as added, sum(s.duplicates)::bigint as duplicates, sum(s.superseded)::bigint as superseded,
       sum(s.updated)::bigint as updated, sum(s.forgotten)::bigint as forgotten, sum(s.erased)::bigint as erased,
       sum(s.recalls)::bigint as recalls, sum(s.empty_recalls)::bigint as empty_recalls,
       sum(s.embedding_tokens)::bigint as embedding_tokens, sum(s.query_tokens)::bigint as query_tokens
from public.agent_memory_stats as s
group by 1;

-- name: monitor_latencies
select case when %(by_organization)s::boolean then s.organization_id::text else '' end as organization,
       u.place::integer as place, sum(u.count)::bigint as count
from public.agent_memory_stats as s cross join lateral unnest(s.latencies) with ordinality as u (count, place)
group by 1, 2
order by 1, 2;

-- name: compose_statement_statistics
-- Of pgrecall's own statements, by the name in their comment, where pg_stat_statements is created.
select format(
  'select substring(s.query from ''/\* pgrecall:([a-z_]+) \*/'') as statement, sum(s.calls)::bigint as calls, '
  'sum(s.total_exec_time) / 1000 as seconds, sum(s.rows)::bigint as rows, sum(s.shared_blks_hit)::bigint as blocks_hit, '
  'sum(s.shared_blks_read)::bigint as blocks_read from %%I.pg_stat_statements as s '
  'where s.dbid = (select d.oid from pg_catalog.pg_database as d where d.datname = current_database()) '
  'and s.query ~ ''/\* pgrecall:[a-z_]+ \*/'' group by 1', n.nspname) as composed
from pg_catalog.pg_extension as e
join pg_catalog.pg_namespace as n on n.oid = e.extnamespace
where e.extname = 'pg_stat_statements';
