-- pgrecall: what agents did, per hour.

-- Names below resolve to what they say, whatever the session's path was.
set search_path = pg_catalog, pg_temp;

create table if not exists public.agent_memory_stats (
  organization_id uuid not null references public.organizations on delete cascade,
  agent_id text not null check (char_length(agent_id) between 1 and 255),
  hour timestamptz not null check (hour = date_trunc('hour', hour, 'UTC')),
  added bigint not null default 0 check (added >= 0),
  duplicates bigint not null default 0 check (duplicates >= 0),
  superseded bigint not null default 0 check (superseded >= 0),
  updated bigint not null default 0 check (updated >= 0),
  forgotten bigint not null default 0 check (forgotten >= 0),
  recalls bigint not null default 0 check (recalls >= 0),
  empty_recalls bigint not null default 0 check (empty_recalls >= 0),
  updated_at timestamptz not null default agent_memory.now(),
  primary key (organization_id, agent_id, hour)
);
comment on table public.agent_memory_stats is 'Counts per organization, agent and hour, which a service flushes in batches; no function writes here in the course of a recall.';
comment on column public.agent_memory_stats.hour is 'The start of the hour, in UTC.';

select agent_memory.policy('public.agent_memory_stats', 'members', 'nobody');

-- What comes next on this connection, which a pooler may give to somebody else, has its own path.
reset search_path;
