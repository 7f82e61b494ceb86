-- Point-in-time recovery: what a server says of its archive, and what makes it file its log away.

-- name: mark_moment
-- A transaction that changes nothing but has a number, so that its commit is in the log: recovery
-- to any time before it has something to stop at, even if nothing else is ever written.
select pg_catalog.txid_current() as transaction;

-- name: switch_log
-- The file of the log that is complete now, and will be filed away.
select pg_catalog.pg_walfile_name(pg_catalog.pg_switch_wal()) as name;

-- name: get_archiver
select pg_catalog.current_setting('archive_mode') as mode, a.archived_count, a.last_archived_wal, a.last_archived_time,
       a.failed_count, a.last_failed_wal, a.last_failed_time
from pg_catalog.pg_stat_archiver as a;

-- name: get_recovered
select pg_catalog.pg_is_in_recovery() as is_recovering, pg_catalog.pg_last_xact_replay_timestamp() as last_transaction_at;

-- name: compose_count_erasures
-- How many erasures a recovery to a time would undo; nothing where there is no schema of pgrecall.
select pg_catalog.format('select count(*) as erasures from public.ai_memory_erasures as e where e.erased_at > %%L',
                         %(target)s::timestamptz) as composed
where pg_catalog.to_regclass('public.ai_memory_erasures') is not null;
