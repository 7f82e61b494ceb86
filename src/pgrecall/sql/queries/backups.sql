-- Backups of one organization: reading its rows, putting them in elsewhere, and the ledger.
--
-- The tables are found in the catalogs, so that none is forgotten: all of ours that have a column
-- organization_id. A row travels as the JSON object that the server makes of it, without the
-- organization and without generated columns; of one snapshot, every server of every version
-- makes the same text, which is what the checksums rest on.

-- name: begin_backup
begin transaction isolation level repeatable read, read only;

-- name: settle_backup_session
-- So that every server writes and reads values in the same way, nothing of the session's path plays
-- a part, and a table whose rows a policy would hide is an error.
select set_config('search_path', 'pg_catalog, pg_temp', false),
       set_config('timezone', 'UTC', false),
       set_config('datestyle', 'ISO, YMD', false),
       set_config('intervalstyle', 'iso_8601', false),
       set_config('extra_float_digits', '1', false),
       set_config('bytea_output', 'hex', false),
       set_config('row_security', 'off', false),
       set_config('statement_timeout', '0', false),
       set_config('idle_in_transaction_session_timeout', '0', false);

-- name: list_backup_tables
-- In the order in which rows can be put in: what is referred to comes first, and the members come
-- last, since nobody sees anything of an organization before it has members. `links` are columns
-- that refer to rows of the same table.
with recursive ours as (
  select c.oid, n.nspname || '.' || c.relname as name
  from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p')
    and (n.nspname = 'agent_memory' or n.nspname || '.' || c.relname = any (%(names)s::text[]))
    and n.nspname || '.' || c.relname <> 'agent_memory.backups'
    and exists (
      select from pg_catalog.pg_attribute as a
      where a.attrelid = c.oid and a.attname = 'organization_id' and not a.attisdropped)
),
depths as (
  select o.oid, 0 as depth from ours as o
  union all
  select k.conrelid, d.depth + 1
  from depths as d
  join pg_catalog.pg_constraint as k on k.confrelid = d.oid and k.contype = 'f' and k.conrelid <> k.confrelid
)
select o.name, max(d.depth) as depth,
       array(
         select a.attname::text from pg_catalog.pg_attribute as a
         where a.attrelid = o.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
           and a.attname <> 'organization_id'
         order by a.attname) as columns,
       array(
         select a.attname::text from pg_catalog.pg_index as i
         cross join unnest(i.indkey::smallint[]) with ordinality as k (attnum, place)
         join pg_catalog.pg_attribute as a on a.attrelid = o.oid and a.attnum = k.attnum
         where i.indrelid = o.oid and i.indisprimary and a.attname <> 'organization_id'
         order by a.atttypid <> 'uuid'::regtype, k.place) as key,
       array(
         select a.attname::text from pg_catalog.pg_constraint as k
         join pg_catalog.pg_attribute as a on a.attrelid = o.oid and a.attnum = any (k.conkey)
         where k.conrelid = o.oid and k.confrelid = o.oid and k.contype = 'f' and a.attname <> 'organization_id'
         order by a.attname) as links
from ours as o
join depths as d on d.oid = o.oid
group by o.oid, o.name
order by o.name = 'agent_memory.members', max(d.depth), o.name;

-- name: look_at_source
-- What the manifest says of the database. `hidden` is a table whose rows a policy would hide.
select current_database()::text as database,
       current_setting('server_version') as server_version,
       transaction_timestamp() as snapshot_at,
       case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end::text as wal_position,
       (select o.name from agent_memory.organizations as o where o.organization_id = %(organization_id)s) as organization,
       (select coalesce(jsonb_object_agg(e.extname, e.extversion), '{}')
        from pg_catalog.pg_extension as e where e.extname in ('uuid-ossp', 'pgcrypto', 'btree_gin', 'vector')) as extensions;

-- name: list_backup_migrations
select m.name, m.checksum from agent_memory.migrations as m order by m.name;

-- name: list_backup_policies
-- The policies of tables by name, and what they say as this server renders it.
select n.nspname || '.' || c.relname || ' ' || p.polname as name,
       concat_ws(' ', p.polcmd::text, p.polpermissive::text,
                 (select string_agg(r.rolname, ',' order by r.rolname) from pg_catalog.pg_roles as r where r.oid = any (p.polroles)),
                 pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) as definition
from pg_catalog.pg_policy as p
join pg_catalog.pg_class as c on c.oid = p.polrelid and c.relrowsecurity
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where n.nspname || '.' || c.relname = any (%(tables)s::text[])
order by 1;

-- name: list_hidden_tables
select t.name from unnest(%(tables)s::text[]) as t (name)
where row_security_active(t.name::regclass) or not has_table_privilege(t.name::regclass, 'select')
order by 1;

-- name: compose_row_count
select format('select count(*)::bigint as rows from %%s as t where t.organization_id = %%L',
              %(table)s::text::regclass, %(organization_id)s::uuid) as composed;

-- name: compose_rows
-- Every row as its canonical line, by key.
select format('copy (select to_jsonb(r)::text from (select %%s from %%s as t where t.organization_id = %%L) as r%%s) to stdout',
              (select string_agg(format('t.%%I', c.name), ', ' order by c.place) from unnest(%(columns)s::text[]) with ordinality as c (name, place)),
              %(table)s::text::regclass, %(organization_id)s::uuid,
              (select ' order by ' || string_agg(
                 format(case when a.atttypid = 'text'::regtype then 'r.%%I collate "C"' else 'r.%%I' end, k.name), ', ' order by k.place)
               from unnest(%(key)s::text[]) with ordinality as k (name, place)
               join pg_catalog.pg_attribute as a on a.attrelid = %(table)s::text::regclass and a.attname = k.name)) as composed;

-- name: compose_load
-- Puts in lines ($2) of an organization ($1) and says how many rows there are now. A link to another
-- row of the same table may lead to one that is not there yet: until compose_linking() it leads to
-- the row itself, which satisfies the foreign key, and keeps what is superseded from passing for
-- current.
select format('with given as (select r.* from unnest($2::text[]) as g (line) cross join lateral jsonb_populate_record(null::%%1$s, g.line::jsonb) as r where true%%5$s), '
              'added as (insert into %%1$s as t (organization_id%%2$s) select $1::uuid%%3$s from given as r '
              'on conflict %%4$s returning 1) '
              'select (select count(*) from given)::bigint as kept, (select count(*) from added)::bigint as added',
              %(table)s::text::regclass,
              (select string_agg(format(', %%I', c.name), '' order by c.place) from unnest(%(columns)s::text[]) with ordinality as c (name, place)),
              (select string_agg(case when c.name = any (%(links)s::text[])
                                   then format(', case when r.%%I is not null then r.id end', c.name) else format(', r.%%I', c.name) end,
                                 '' order by c.place) from unnest(%(columns)s::text[]) with ordinality as c (name, place)),
              case %(table)s::text
                when %(replaced)s::text then
                  (select '(organization_id) do update set ' || string_agg(format('%%1$I = excluded.%%1$I', c.name), ', ' order by c.place)
                   from unnest(%(columns)s::text[]) with ordinality as c (name, place))
                when 'agent_memory.tombstones' then
                  '(organization_id, digest) do update set erased_at = greatest(t.erased_at, excluded.erased_at)'
                else 'do nothing' end,
              -- What refers to a row that is not there: of a merge, where the same thing is known by another id.
              (select string_agg(format(' and (r.%%1$I is null or exists (select from %%2$s as p where p.organization_id = $1 and p.%%3$I = r.%%1$I))',
                                        a.attname, k.confrelid::regclass, f.attname), '')
               from pg_catalog.pg_constraint as k
               cross join unnest(k.conkey, k.confkey) as c (attnum, target)
               join pg_catalog.pg_attribute as a on a.attrelid = k.conrelid and a.attnum = c.attnum and a.attname <> 'organization_id'
               join pg_catalog.pg_attribute as f on f.attrelid = k.confrelid and f.attnum = c.target
               where k.conrelid = %(table)s::text::regclass and k.contype = 'f' and k.confrelid <> k.conrelid)) as composed;

-- name: adopt_tombstones
-- What was erased from the organization that a backup is of does not come back under another id.
insert into agent_memory.tombstones as t (organization_id, digest, erased_at)
select %(organization_id)s, s.digest, s.erased_at
from agent_memory.tombstones as s where s.organization_id = %(source)s
on conflict (organization_id, digest) do update set erased_at = greatest(t.erased_at, excluded.erased_at);

-- name: has_tombstones
select exists (select from agent_memory.tombstones as t where t.organization_id = %(organization_id)s) as has_tombstones;

-- name: find_erased
select e.ordinal
from agent_memory.erased(%(organization_id)s, %(memory_ids)s::uuid[], %(user_ids)s::text[], %(agent_ids)s::text[],
                         %(context_keys)s::text[], %(created_ats)s::timestamptz[]) as e;

-- name: patch_lines
select (g.line::jsonb || %(patch)s::jsonb)::text as line
from unnest(%(lines)s::text[]) with ordinality as g (line, place) order by g.place;

-- name: settle_erasures
-- Links to what is not there, mentions of it in the history, windows made anew.
with loose as (
  update public.ai_memories as m set superseded_by = null, stated_valid_to = null
  where m.organization_id = %(organization_id)s and m.superseded_by = m.id
  returning m.id
)
select agent_memory.drop_mentions(%(organization_id)s, %(ids)s::uuid[], %(slots)s::text[], array(select l.id from loose as l)) as mentions,
       agent_memory.refresh_windows(%(organization_id)s, %(context_ids)s::uuid[]) as windows;

-- name: compose_linking
select format('with changed as (update %%1$s as t set %%2$I = r.%%2$I '
              'from unnest($2::text[]) as g (line) cross join lateral jsonb_populate_record(null::%%1$s, g.line::jsonb) as r '
              'where t.organization_id = $1 and t.id = r.id and t.%%2$I = t.id and r.%%2$I <> r.id '
              'and exists (select from %%1$s as o where o.organization_id = $1 and o.id = r.%%2$I) returning 1) '
              'select count(*)::bigint as linked from changed',
              %(table)s::text::regclass, %(link)s::text) as composed;

-- name: compose_comparison
-- How many of the lines are rows of the organization, just as they say but for the columns in $3.
select format('select count(*)::bigint as equal from unnest($2::text[]) as g (line) '
              'cross join lateral jsonb_populate_record(null::%%1$s, g.line::jsonb) as r '
              'join %%1$s as t on t.organization_id = $1%%2$s '
              'where (select to_jsonb(c) from (select %%3$s) as c) - $3::text[] = g.line::jsonb - $3::text[]',
              %(table)s::text::regclass,
              (select string_agg(format(' and t.%%1$I = r.%%1$I', k.name), '' order by k.place)
               from unnest(%(key)s::text[]) with ordinality as k (name, place)),
              (select string_agg(format('t.%%I', c.name), ', ' order by c.place)
               from unnest(%(columns)s::text[]) with ordinality as c (name, place))) as composed;

-- name: find_backup_organization
select o.name from agent_memory.organizations as o where o.organization_id = %(organization_id)s;

-- name: rename_organization
update agent_memory.organizations as o set name = %(name)s where o.organization_id = %(organization_id)s;

-- name: begin_ledger_entry
insert into agent_memory.backups as b (organization_id, backup_id, action, place, is_fresh)
values (%(organization_id)s, %(backup_id)s, %(action)s, %(place)s, %(is_fresh)s)
returning b.id;

-- name: end_ledger_entry
update agent_memory.backups as b
set state = %(state)s, finished_at = clock_timestamp(), snapshot_at = %(snapshot_at)s, rows = %(rows)s,
    skipped = %(skipped)s, bytes = %(bytes)s, reason = %(reason)s
where b.organization_id = %(organization_id)s and b.id = %(id)s;

-- name: find_unfinished_restore
-- The newest restore of a backup into an organization, if it did not come to its end.
select b.id, b.files_loaded, b.is_fresh, b.rows, b.skipped
from (
  select b.* from agent_memory.backups as b
  where b.organization_id = %(organization_id)s and b.backup_id = %(backup_id)s and b.action = 'restore'
  order by b.started_at desc limit 1) as b
where b.state <> 'done';

-- name: advance_ledger_entry
-- One file more is in; no row if another run has gone on meanwhile.
update agent_memory.backups as b
set files_loaded = %(files_loaded)s + 1, rows = coalesce(b.rows, 0) + %(added)s, skipped = coalesce(b.skipped, 0) + %(skipped)s, state = 'running'
where b.organization_id = %(organization_id)s and b.id = %(id)s and b.files_loaded = %(files_loaded)s
returning b.files_loaded;

-- name: limit_lock_wait
select set_config('lock_timeout', '2s', true);

-- name: note_indexes
-- The indexes of search, and how each is dropped; the ledger keeps how they are made. None, unless
-- more memories come than are compared one by one, and there are no more than that yet.
with ours as materialized (
  select format('drop index %%s', i.indexrelid::regclass) as drop, pg_get_indexdef(i.indexrelid) as definition
  from pg_catalog.pg_index as i
  join pg_catalog.pg_class as c on c.oid = i.indexrelid
  join pg_catalog.pg_am as a on a.oid = c.relam
  where i.indrelid in (select to_regclass(t.name) from unnest('{public.ai_memories,agent_memory.embeddings,agent_memory.pieces}'::text[]) as t (name))
    and a.amname in ('gin', 'hnsw') and i.indisvalid and c.reltablespace = 0
    and c.relname ~ '^(ai_memories_((organization_)?(search|metadata)|sample)_idx|pieces_(organization_)?search_idx|embeddings_hnsw_\d+_idx)$'
    and %(memories)s > agent_memory.exact_limit()
    and agent_memory.exact_limit() >= (
      select count(*) from (select from public.ai_memories limit agent_memory.exact_limit() + 1) as m)
), noted as (
  update agent_memory.backups as b
  set unbuilt_indexes = b.unbuilt_indexes || array(select o.definition from ours as o)
  where b.organization_id = %(organization_id)s and b.id = %(id)s
  returning b.id
)
select o.drop from ours as o cross join noted;

-- name: list_unbuilt_indexes
select distinct d.definition
from agent_memory.backups as b
cross join unnest(b.unbuilt_indexes) as d (definition)
order by d.definition;

-- name: prepare_index
-- A graph that doesn't fit into maintenance_work_mem is built several times as slowly. It may take
-- what the server has for its buffers.
select replace(%(definition)s::text, 'CREATE INDEX ', 'CREATE INDEX IF NOT EXISTS ') as create,
       set_config('max_parallel_maintenance_workers', least(%(workers)s, current_setting('max_parallel_maintenance_workers')::integer)::text, true),
       set_config('maintenance_work_mem', greatest(
         pg_size_bytes(current_setting('maintenance_work_mem')), least(
           pg_size_bytes(current_setting('shared_buffers')),
           3 * pg_table_size(substring(%(definition)s::text from ' ON (\S+) ')::regclass) / 2)) / 1024 || 'kB', true);

-- name: note_built_index
update agent_memory.backups as b
set unbuilt_indexes = array_remove(b.unbuilt_indexes, %(definition)s::text)
where %(definition)s::text = any (b.unbuilt_indexes);

-- name: look_at_index
select p.blocks_done as done, p.blocks_total as total
from pg_catalog.pg_stat_progress_create_index as p
where p.pid = %(backend)s and p.blocks_total > 0;

-- name: list_ledger
select b.* from agent_memory.backups as b
where %(organization_id)s::uuid is null or b.organization_id = %(organization_id)s
order by b.started_at desc limit %(match_limit)s;

-- name: note_deleted_backups
update agent_memory.backups as b set deleted_at = clock_timestamp()
where b.action = 'backup' and b.place = any (%(places)s::text[]) and b.deleted_at is null;

-- name: list_leftover_scratch
-- Databases of verifications that were killed: nobody is connected, and they are an hour old, as
-- their names say.
select d.datname::text as name from pg_catalog.pg_database as d
where d.datname ~ '^pgrecall_verify_[0-9]{9,11}_[0-9a-f]{8}$'
  and split_part(d.datname::text, '_', 3)::bigint < extract(epoch from clock_timestamp()) - 3600
  and not exists (select from pg_catalog.pg_stat_activity as a where a.datname = d.datname);

-- name: sample_memories
-- Some that a recall must find: current ones, the same of a backup every time.
select m.id, m.agent_id, m.user_id, m.content, m.organization_id
from public.ai_memories as m
where m.forgotten_at is null and m.expires_at is null and m.valid_to is null
order by sha256(uuid_send(m.id)) limit %(match_limit)s;

-- name: list_dumped_tables
-- All tables of ours, in the order in which rows can be put in, and none of the two that say what
-- the migrations have made.
with recursive ours as (
  select c.oid, n.nspname || '.' || c.relname as name
  from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p')
    and (n.nspname = 'agent_memory' and c.relname not in ('migrations', 'fingerprints', 'additions')
         or n.nspname || '.' || c.relname = any (%(names)s::text[]))
),
depths as (
  select o.oid, 0 as depth from ours as o
  union all
  select k.conrelid, d.depth + 1
  from depths as d
  join pg_catalog.pg_constraint as k on k.confrelid = d.oid and k.contype = 'f' and k.conrelid <> k.confrelid
)
select o.name from ours as o join depths as d on d.oid = o.oid
group by o.name order by max(d.depth), o.name;

-- name: list_others_relations
-- What else there is in schema public, as pg_dump is to be told: the names of other people's tables.
select format('%%I.%%I', n.nspname, c.relname) as name
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where n.nspname = 'public' and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
  and n.nspname || '.' || c.relname <> all (%(names)s::text[])
order by 1;

-- name: compose_table_count
select format('select count(*)::bigint as rows from %%s', %(table)s::text::regclass) as composed;

-- name: export_snapshot
select pg_export_snapshot() as snapshot;
