-- Operations ---------------------------------------------------------------------------------

do $tables$
begin
  if pg_catalog.to_regclass('agent_memory.backups') is null then
    create table agent_memory.backups (
      organization_id uuid not null,
      id uuid not null default agent_memory.uuid_v7(),
      backup_id uuid not null,
      action text not null check (action in ('backup', 'restore', 'verification', 'import')),
      place text not null check (char_length(place) between 1 and 4000),
      state text not null default 'running' check (state in ('running', 'done', 'failed')),
      started_at timestamptz not null default pg_catalog.clock_timestamp(),
      finished_at timestamptz,
      snapshot_at timestamptz,
      rows bigint check (rows >= 0),
      skipped bigint check (skipped >= 0),
      bytes bigint check (bytes >= 0),
      files_loaded integer not null default 0 check (files_loaded >= 0),
      is_fresh boolean not null default false,
      unbuilt_indexes text[] not null default '{}',
      reason text,
      deleted_at timestamptz,
      primary key (organization_id, id)
    );
    create index backups_newest_idx on agent_memory.backups (organization_id, action, state, started_at);
    alter table agent_memory.backups enable row level security;
  end if;
end
$tables$;
comment on table agent_memory.backups is 'The ledger of backups, restores, verifications and of imports that build indexes afterwards: one row a run. The newest snapshot_at of a backup that is done says what would be lost; the newest finished_at of a verification that is done, since when it is proven that a backup can be restored.';
comment on column agent_memory.backups.organization_id is 'The organization; all zeros for the whole database. No reference: what was backed up outlives its organization.';
comment on column agent_memory.backups.backup_id is 'The id of the backup, as its manifest names it; the same in each of its restores and verifications.';
comment on column agent_memory.backups.place is 'The path or URL, without credentials.';
comment on column agent_memory.backups.state is 'running also of a run that was killed.';
comment on column agent_memory.backups.snapshot_at is 'The moment whose state the backup holds.';
comment on column agent_memory.backups.rows is 'Rows in the backup, or rows that a restore has put in.';
comment on column agent_memory.backups.skipped is 'Rows that a restore left out, since they were erased.';
comment on column agent_memory.backups.files_loaded is 'How many files of the backup a restore has put in; a rerun goes on after them.';
comment on column agent_memory.backups.is_fresh is 'Whether the restore made the organization, so that afterwards it must be what the backup holds, and nothing else.';
comment on column agent_memory.backups.unbuilt_indexes is 'The indexes of search that the restore or import has dropped and not built again yet, as CREATE INDEX.';
comment on column agent_memory.backups.deleted_at is 'When the retention deleted the backup.';

-- Retention -----------------------------------------------------------------------------------

create or replace function agent_memory.retained_agents()
returns table (organization_id uuid, agent_id text, retention jsonb)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select held.organization_id, held.agent_id, s.retention
  from (
    select o.organization_id, m.agent_id
    from agent_memory.organizations as o
    join public.ai_memories as m on m.organization_id = o.organization_id
    where o.agent_settings ? 'retention'
    union
    select c.organization_id, c.agent_id from public.agent_memory_config as c where c.settings ? 'retention'
  ) as held
  cross join lateral (select agent_memory.effective_settings(held.organization_id, held.agent_id) -> 'retention' as retention) as s
  where s.retention - 'action' <> '{}'
  order by held.organization_id, held.agent_id
$$;
comment on function agent_memory.retained_agents() is
  'The agents, of all organizations, whose memories have a bound by their settings or by those for all agents, and the setting retention that holds for each.';

create or replace function agent_memory.due_memories(organization_id uuid, agent_id text, retention jsonb, match_limit integer)
returns setof uuid
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with held as (
    select m.id, m.kind, m.created_at, m.expires_at,
           row_number() over (order by m.created_at desc, m.id desc) as place
    from public.ai_memories as m
    where m.organization_id = due_memories.organization_id and m.agent_id = due_memories.agent_id
      and (m.forgotten_at is null or retention ->> 'action' = 'erase')
  )
  select h.id from held as h
  where h.created_at < agent_memory.now() - (retention #>> array['max_age', h.kind])::integer * interval '1 day'
     or h.expires_at < agent_memory.now() - (retention ->> 'expired')::integer * interval '1 day'
     or h.place > (retention ->> 'max_count')::bigint
  order by h.created_at, h.id
  limit match_limit
$$;
comment on function agent_memory.due_memories(uuid, text, jsonb, integer) is
  'Up to match_limit memories of an agent that a retention has had its time with, oldest first: stored longer ago than max_age says for their kind, expired longer ago than expired says, or beyond the newest max_count. Where they are to be erased, forgotten ones count too.';

create or replace function agent_memory.retain(organization_id uuid, agent_id text, match_limit integer)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  retention jsonb := agent_memory.effective_settings(organization_id, agent_id) -> 'retention';
  caller agent_memory.principal := row(organization_id, 'maintenance', 'owner', null, null, null, organization_id);
  ids uuid[] := array(select agent_memory.due_memories(organization_id, agent_id, retention, match_limit));
begin
  if ids = '{}' then
    return 0;
  elsif retention ->> 'action' = 'erase' then
    return agent_memory.erase(caller, jsonb_build_object('ids', ids), true, false) ->> 'memories';
  end if;
  perform agent_memory.lock_memories(organization_id, ids);
  ids := array(
    select m.id from public.ai_memories as m
    where m.organization_id = retain.organization_id and m.id = any (ids) and m.forgotten_at is null);
  perform agent_memory.mark_forgotten(caller, ids, true);
  return cardinality(ids);
end
$$;
comment on function agent_memory.retain(uuid, text, integer) is
  'Forgets, or where the retention says so erases, up to match_limit memories of an agent that are due, and says how many. 0: none was due.';

create or replace function agent_memory.retain_all(match_limit integer default 10000)
returns bigint
language sql
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(sum(agent_memory.retain(a.organization_id, a.agent_id, match_limit)), 0)::bigint
  from agent_memory.retained_agents() as a
$$;
comment on function agent_memory.retain_all(integer) is
  'retain() for each agent whose memories have a bound. For pg_cron: repeated until it answers 0.';
