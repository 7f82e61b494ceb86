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

-- name: get_log_file
select pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()) as name;

-- name: knows_erasures
-- Whether there are tables of erasures; a database from before them has none.
select pg_catalog.to_regclass('agent_memory.erasures') is not null
       and pg_catalog.to_regclass('agent_memory.tombstones') is not null as is_so;

-- name: count_erasures_since
select count(*) as erasures from agent_memory.erasures as e where e.erased_at > %(target)s;

-- name: read_tombstones
-- All of them: one of a scope may bear a time somewhat before that of its erasure.
select t.organization_id, t.digest, t.erased_at from agent_memory.tombstones as t;

-- name: read_erasures_since
select to_jsonb(e)::text as line from agent_memory.erasures as e where e.erased_at > %(target)s;

-- name: adopt_erasures
-- Tombstones and records of another database, of the organizations that are in this one.
with adopted as (
  insert into agent_memory.tombstones as t (organization_id, digest, erased_at)
  select g.organization_id, g.digest, g.erased_at
  from unnest(%(organization_ids)s::uuid[], %(digests)s::bytea[], %(erased_ats)s::timestamptz[]) as g (organization_id, digest, erased_at)
  join agent_memory.organizations as o on o.organization_id = g.organization_id
  on conflict (organization_id, digest) do update set erased_at = greatest(t.erased_at, excluded.erased_at)
)
insert into agent_memory.erasures
select r.*
from unnest(%(records)s::text[]) as g (line)
cross join lateral jsonb_populate_record(null::agent_memory.erasures, g.line::jsonb) as r
join agent_memory.organizations as o on o.organization_id = r.organization_id
on conflict do nothing;

-- name: list_organizations_with_erasures
select distinct t.organization_id from agent_memory.tombstones as t order by t.organization_id;
