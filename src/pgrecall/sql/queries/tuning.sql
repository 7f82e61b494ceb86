-- What `pgrecall tune` reads and measures. It writes nothing; what is changed is composed last.

-- name: get_workload
-- The database since its statistics began, and how large it is.
select pg_catalog.pg_database_size(d.datname) as database_bytes,
       d.blks_hit as blocks_hit, d.blks_read as blocks_read,
       d.temp_files, d.temp_bytes,
       (select count(*) from pg_catalog.pg_stat_activity as a where a.backend_type = 'client backend') as connections,
       extract(epoch from pg_catalog.now() - coalesce(d.stats_reset, pg_catalog.pg_postmaster_start_time()))::real as seconds
from pg_catalog.pg_stat_database as d
where d.datname = pg_catalog.current_database();

-- name: list_large_tables
-- Tables of pgrecall with their rows and what of them autovacuum obeys.
select n.nspname || '.' || c.relname as name, greatest(c.reltuples, 0)::bigint as rows,
       pg_catalog.pg_total_relation_size(c.oid) as bytes,
       coalesce(s.n_dead_tup, 0) as dead_rows,
       (select o.option_value::real from pg_catalog.pg_options_to_table(c.reloptions) as o
        where o.option_name = 'autovacuum_vacuum_scale_factor') as scale_factor
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
left join pg_catalog.pg_stat_all_tables as s on s.relid = c.oid
where c.relkind = 'r'
  and n.nspname || '.' || c.relname = any (
    array['public.ai_memories', 'agent_memory.embeddings', 'agent_memory.history', 'public.ai_memory_contexts'])
order by c.relname;

-- name: get_largest_vector_index
-- In bytes; 0 where there is none.
select coalesce(max(pg_catalog.pg_relation_size(i.indexrelid)), 0)::bigint as bytes
from pg_catalog.pg_index as i
join pg_catalog.pg_class as c on c.oid = i.indexrelid
join pg_catalog.pg_am as a on a.oid = c.relam
where a.amname = 'hnsw';

-- name: compose_get_checkpoints
-- How often the log's size, and how often the clock, made the server write everything out. Moved
-- to a view of its own in 17.
select case when pg_catalog.current_setting('server_version_num')::integer >= 170000
  then 'select num_requested as requested, num_timed as timed from pg_catalog.pg_stat_checkpointer'
  else 'select checkpoints_req as requested, checkpoints_timed as timed from pg_catalog.pg_stat_bgwriter' end as composed;

-- name: get_recall_settings
select agent_memory.exact_limit() as exact_limit,
       coalesce(substring(pg_catalog.current_setting('pgrecall.ef_search', true) from '^([1-9][0-9]{0,2}|1000)$'), '200')::integer as ef_search;

-- name: compose_find_indexed
-- The organization with the most vectors in an HNSW index, of one model; nothing without pgvector.
select 'select e.organization_id, e.model, count(*) as vectors, count(*) filter (where e.is_indexed) as indexed
        from agent_memory.embeddings as e group by 1, 2 having bool_or(e.is_indexed) order by 4 desc limit 1' as composed
where agent_memory.has_vector();

-- name: compose_sample_vectors
-- Some of its vectors, drawn by their ids.
select pg_catalog.format(
  'select e.memory_id, e.embedding::real[] as vector from agent_memory.embeddings as e
   where e.organization_id = %%L and e.model = %%L order by md5(e.memory_id::text) limit %%s',
  %(organization_id)s::uuid, %(model)s::text, %(count)s::integer) as composed;

-- name: compose_find_nearest
-- The nearest to a vector, every one compared.
select pg_catalog.format(
  'select e.memory_id from agent_memory.embeddings as e
   where e.organization_id = %%L and e.model = %%L
   group by e.memory_id order by min(e.embedding operator(%%I.<=>) %%L::real[]::%%I.halfvec) limit %%s',
  %(organization_id)s::uuid, %(model)s::text, v.home, %(vector)s::real[], v.home, %(count)s::integer) as composed
from (select agent_memory.vector_schema() as home) as v;

-- name: find_nearest_indexed
-- The same as recall asks for it.
select n.memory_id from agent_memory.nearest(%(organization_id)s::uuid, %(model)s::text, %(vector)s::real[], %(count)s::integer) as n;

-- name: set_for_transaction
select pg_catalog.set_config(%(name)s::text, %(value)s::text, true) as value;

-- name: compose_alter_database
select pg_catalog.format('ALTER DATABASE %%I SET %%s = %%L;', pg_catalog.current_database(), given.name, given.value) as composed
from unnest(%(names)s::text[], %(values)s::text[]) with ordinality as given (name, value, place)
order by given.place;

-- name: compose_alter_table
select pg_catalog.format('ALTER TABLE %%s SET (%%s = %%s);', given.target, given.name, given.value) as composed
from unnest(%(targets)s::text[], %(names)s::text[], %(values)s::text[]) with ordinality as given (target, name, value, place)
order by given.place;
