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
  erased bigint not null default 0 check (erased >= 0),
  recalls bigint not null default 0 check (recalls >= 0),
  empty_recalls bigint not null default 0 check (empty_recalls between 0 and recalls),
  embedding_tokens bigint not null default 0 check (embedding_tokens >= 0),
  query_tokens bigint not null default 0 check (query_tokens >= 0),
  latencies bigint[] not null default array_fill(0::bigint, array[32]) check (
    array_ndims(latencies) = 1 and cardinality(latencies) = 32
    and array_position(latencies, null) is null and 0 <= all (latencies)),
  updated_at timestamptz not null default agent_memory.now(),
  primary key (organization_id, agent_id, hour)
);
comment on table public.agent_memory_stats is 'Counts per organization, agent and hour, which clients gather and bring in batches by add_memory_stats(); no function writes here in the course of a recall.';
comment on column public.agent_memory_stats.hour is 'The start of the hour, in UTC.';
comment on column public.agent_memory_stats.added is 'Memories that were stored, those that superseded an earlier value included.';
comment on column public.agent_memory_stats.superseded is 'Memories that ended an earlier value of their slot.';
comment on column public.agent_memory_stats.empty_recalls is 'Recalls that found nothing.';
comment on column public.agent_memory_stats.embedding_tokens is 'Tokens of texts that were embedded to be stored, estimated as a quarter of their bytes in UTF-8.';
comment on column public.agent_memory_stats.query_tokens is 'Tokens of questions that were embedded, estimated likewise.';
comment on column public.agent_memory_stats.latencies is 'How many recalls took how long, as their clients saw it, embedding included. Bucket n, from 1, holds those of more than the bound before it and at most 0.5 ms times the square root of 2 to the power n - 1; the 32nd those above 16,384 ms.';

select agent_memory.policy('public.agent_memory_stats', 'members', 'nobody');

-- What comes next on this connection, which a pooler may give to somebody else, has its own path.
reset search_path;
