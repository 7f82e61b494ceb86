-- What is done from time to time, on the connection of the schema's owner.

-- name: settle_maintenance
-- A killed client's server process notices within a second, where the server can (14 and later), so
-- that it does not hold the lock for longer.
select set_config('lock_timeout', %(lock_timeout)s, false), set_config('statement_timeout', '0', false),
       set_config('search_path', 'pg_catalog, pg_temp', false), set_config('application_name', 'pgrecall maintain', false),
       (select set_config(s.name, '1s', false) from pg_catalog.pg_settings as s where s.name = 'client_connection_check_interval');

-- name: lock_maintenance
-- One at a time in a database, until the end of the connection: under a number that nobody can guess and
-- take first.
select pg_advisory_lock(741022351, floor(random() * 2147483647)::integer);

-- name: other_maintenance
-- Any client can take the lock too; it counts only of who may act as the schema's owner.
select l.pid
from pg_locks as l
join pg_stat_activity as a on a.pid = l.pid and a.datname = current_database()
join pg_namespace as n on n.nspname = 'agent_memory' and pg_has_role(a.usesysid, n.nspowner, 'USAGE')
where l.locktype = 'advisory' and l.classid = 741022351 and l.objsubid = 2 and l.pid <> pg_backend_pid();

-- name: maintained_tables
select format('%%I.%%I', n.nspname, c.relname) as name, c.reltuples::bigint as rows, s.n_dead_tup as dead_rows,
       s.n_mod_since_analyze as changed_rows, coalesce(s.last_analyze, s.last_autoanalyze) is not null as is_analyzed,
       s.n_live_tup as live_rows,
       coalesce((select max(split_part(o, '=', 2)) from unnest(c.reloptions) as o where o like 'autovacuum_vacuum_scale_factor=%%'),
                current_setting('autovacuum_vacuum_scale_factor'))::float8 as vacuum_share,
       format('vacuum (analyze) %%I.%%I', n.nspname, c.relname) as vacuum_sql,
       format('analyze %%I.%%I', n.nspname, c.relname) as analyze_sql,
       format('alter table %%I.%%I set (autovacuum_vacuum_scale_factor = 0.02)', n.nspname, c.relname) as advice_sql
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
join pg_catalog.pg_stat_all_tables as s on s.relid = c.oid
where c.relkind = 'r'
  and (n.nspname = 'agent_memory'
       or n.nspname = 'public' and c.relname in ('agent_memory_config', 'agent_memory_stats', 'ai_memories', 'ai_memory_contexts'))
order by 1;

-- name: maintained_indexes
-- A B-tree's size beside what its rows need at a fill of 90 %%: 12 bytes a row for the header and the
-- pointer, and the columns' average widths, to the next multiple of 8.
select format('%%I.%%I', n.nspname, c.relname) as name, i.indisvalid as is_valid,
       c.relname ~ '_cc(new|old)[0-9]*$' as is_leftover,
       exists (select from pg_catalog.pg_stat_progress_create_index as p where p.index_relid = c.oid) as is_being_built,
       pg_relation_size(c.oid) as size,
       case when a.amname = 'btree' and i.indisvalid then 8192 + c.reltuples::float8 * (12 + 8 * ceil(w.width / 8.0)) / 0.9 end::float8 as needed,
       format('reindex index concurrently %%I.%%I', n.nspname, c.relname) as reindex_sql,
       format('drop index concurrently %%I.%%I', n.nspname, c.relname) as drop_sql
from pg_catalog.pg_index as i
join pg_catalog.pg_class as c on c.oid = i.indexrelid
join pg_catalog.pg_am as a on a.oid = c.relam
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
join pg_catalog.pg_class as t on t.oid = i.indrelid and t.relkind = 'r'
cross join lateral (
  select sum(coalesce(s.avg_width, 16)) as width
  from pg_catalog.pg_attribute as k
  left join pg_catalog.pg_attribute as col on col.attrelid = i.indrelid and col.attnum = i.indkey[k.attnum - 1] and col.attnum > 0
  left join pg_catalog.pg_stats as s on s.schemaname = n.nspname
    and s.tablename = case when col.attname is null then c.relname else t.relname end
    and s.attname = coalesce(col.attname, k.attname)
  where k.attrelid = c.oid and k.attnum > 0) as w
where n.nspname = 'agent_memory'
   or n.nspname = 'public' and t.relname in ('agent_memory_config', 'agent_memory_stats', 'ai_memories', 'ai_memory_contexts')
order by 1;

-- name: oldest_transaction
-- What keeps dead rows from being freed: in seconds, of this database.
select coalesce(max(extract(epoch from now() - a.xact_start)), 0)::float8 as seconds
from pg_catalog.pg_stat_activity as a
where a.datname = current_database() and a.backend_type = 'client backend' and a.pid <> pg_backend_pid();

-- name: due_retention
select a.organization_id, a.agent_id, coalesce(a.retention ->> 'action', 'forget') as action,
       (select count(*) from agent_memory.due_memories(a.organization_id, a.agent_id, a.retention, 1000000)) as memories,
       format('select agent_memory.retain(%%L, %%L, %%s)', a.organization_id, a.agent_id, %(batch)s::integer) as retain_sql
from agent_memory.retained_agents() as a;

-- name: retain
select agent_memory.retain(%(organization_id)s::uuid, %(agent_id)s::text, %(batch)s::integer) as done;

-- name: dropped_vectors
select organization_id, agent_id, model, vectors,
       format('select agent_memory.delete_dropped(%%L, %%L, %%L, %%s)', organization_id, agent_id, model, %(batch)s::integer) as delete_sql
from agent_memory.dropped_vectors();

-- name: delete_dropped_vectors
select agent_memory.delete_dropped(
  %(organization_id)s::uuid, %(agent_id)s::text, %(model)s::text, %(batch)s::integer) as done;

-- name: old_stats
select count(*) as hours,
       format('select agent_memory.roll_up_stats(now() - interval ''%%s days'', %%s)', %(days)s::integer, %(batch)s::integer) as roll_up_sql
from public.agent_memory_stats as s
where s.hour < date_trunc('day', now() - %(days)s::integer * interval '1 day', 'UTC')
  and s.hour <> date_trunc('day', s.hour, 'UTC')
  and to_regprocedure('agent_memory.summed(bigint[], bigint[])') is not null;

-- name: roll_up_stats
select agent_memory.roll_up_stats(now() - %(days)s::integer * interval '1 day', %(batch)s::integer) as done;
