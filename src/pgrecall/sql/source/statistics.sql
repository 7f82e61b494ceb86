-- Statistics ---------------------------------------------------------------------------------

do $tables$
begin
  if pg_catalog.to_regclass('public.agent_memory_stats') is null then
    create table public.agent_memory_stats (
      organization_id uuid not null references agent_memory.organizations on delete cascade,
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
    alter table public.agent_memory_stats enable row level security;
  end if;
end
$tables$;
comment on table public.agent_memory_stats is 'Counts per organization, agent and hour, which clients gather and bring in batches by add_memory_stats(); no function writes here in the course of a recall.';
comment on column public.agent_memory_stats.hour is 'The start of the hour, in UTC.';
comment on column public.agent_memory_stats.added is 'Memories that were stored, those that superseded an earlier value included.';
comment on column public.agent_memory_stats.superseded is 'Memories that ended an earlier value of their slot.';
comment on column public.agent_memory_stats.empty_recalls is 'Recalls that found nothing.';
comment on column public.agent_memory_stats.embedding_tokens is 'Tokens of texts that were embedded to be stored, estimated as a quarter of their bytes in UTF-8.';
comment on column public.agent_memory_stats.query_tokens is 'Tokens of questions that were embedded, estimated likewise.';
comment on column public.agent_memory_stats.latencies is 'How many recalls took how long, as their clients saw it, embedding included. Bucket n, from 1, holds those of more than the bound before it and at most 0.5 ms times the square root of 2 to the power n - 1; the 32nd those above 16,384 ms.';

select agent_memory.policy('public.agent_memory_stats', 'members', 'nobody');

create or replace function agent_memory.summed(one bigint[], other bigint[])
returns bigint[]
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select array_agg(pair.a + pair.b order by pair.place)
  from unnest(one, other) with ordinality as pair (a, b, place)
$$;
comment on function agent_memory.summed(bigint[], bigint[]) is 'Two arrays of one length, added place by place.';

create or replace function agent_memory.is_count(value jsonb)
returns boolean
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  -- Two conditions in one CASE, since an AND promises no order.
  select case when jsonb_typeof(value) = 'number' then value #>> '{}' ~ '^[0-9]{1,12}$' else false end
$$;
comment on function agent_memory.is_count(jsonb) is 'Whether a value is a whole number from 0 to 999,999,999,999.';

create or replace function agent_memory.stats_problem(item jsonb)
returns text
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case
    when jsonb_typeof(item) <> 'object' then 'each item must be an object'
    when jsonb_typeof(item -> 'agent_id') is distinct from 'string' or char_length(item ->> 'agent_id') not between 1 and 255
      then 'agent_id must be a text of 1 to 255 characters'
    when agent_memory.parse_time(item -> 'hour') is null then 'hour must be a time in ISO 8601'
    when agent_memory.parse_time(item -> 'hour') not between pg_catalog.now() - interval '31 days' and pg_catalog.now() + interval '1 day'
      then 'hour must be in the last 31 days'
    when jsonb_typeof(coalesce(item -> 'latencies', '[]')) <> 'array'
        or jsonb_array_length(coalesce(item -> 'latencies', '[]')) not in (0, 32)
        or exists (select from jsonb_array_elements(item -> 'latencies') as l where not agent_memory.is_count(l.value))
      then 'latencies must be 32 counts'
    else (
      select min(case
          when f.key not in ('added', 'duplicates', 'superseded', 'updated', 'forgotten', 'erased', 'recalls', 'empty_recalls', 'embedding_tokens', 'query_tokens')
            then format('unknown count "%s"', left(f.key, 60))
          when not agent_memory.is_count(f.value) then f.key || ' must be a whole number from 0 to 999999999999' end)
      from jsonb_each(item - '{agent_id,hour,latencies}'::text[]) as f)
  end
$$;
comment on function agent_memory.stats_problem(jsonb) is 'Why an item of add_memory_stats() can''t be added, or null if it can.';

create or replace function public.add_memory_stats(counts jsonb)
returns integer
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  -- Whatever a key is for, what it does is counted: no verb is asked for.
  caller agent_memory.principal := agent_memory.require_member(null);
  problem text;
  written integer;
begin
  if jsonb_typeof(counts) is distinct from 'array' or jsonb_array_length(counts) > 1000 then
    problem := 'counts must be a list of at most 1,000 objects';
  else
    select min(agent_memory.stats_problem(i.value)) into problem from jsonb_array_elements(counts) as i;
  end if;
  if problem is null and exists (
      select from jsonb_array_elements(counts) as i
      group by i.value ->> 'agent_id', date_trunc('hour', agent_memory.parse_time(i.value -> 'hour'), 'UTC') having count(*) > 1) then
    problem := 'an agent and hour may be named once';
  end if;
  if problem is not null then
    raise exception using errcode = 'PM003', message = problem;
  elsif caller.program is not null and exists (
      select from jsonb_array_elements(counts) as i where i.value ->> 'agent_id' <> caller.program) then
    raise exception using errcode = 'PM002', message = 'a program counts for its own agent alone';
  end if;
  -- In the order of the key, so that two who add to the same rows wait instead of deadlocking.
  insert into public.agent_memory_stats as s (
    organization_id, agent_id, hour, added, duplicates, superseded, updated, forgotten, erased,
    recalls, empty_recalls, embedding_tokens, query_tokens, latencies, updated_at)
  select caller.organization_id, c.agent_id, date_trunc('hour', agent_memory.parse_time(c.hour), 'UTC'),
         coalesce(c.added, 0), coalesce(c.duplicates, 0), coalesce(c.superseded, 0), coalesce(c.updated, 0),
         coalesce(c.forgotten, 0), coalesce(c.erased, 0), coalesce(c.recalls, 0), coalesce(c.empty_recalls, 0),
         coalesce(c.embedding_tokens, 0), coalesce(c.query_tokens, 0),
         coalesce(nullif(c.latencies, '{}'), array_fill(0::bigint, array[32])), agent_memory.now()
  from jsonb_to_recordset(counts) as c (
    agent_id text, hour jsonb, added bigint, duplicates bigint, superseded bigint, updated bigint, forgotten bigint, erased bigint,
    recalls bigint, empty_recalls bigint, embedding_tokens bigint, query_tokens bigint, latencies bigint[])
  order by 2, 3
  on conflict (organization_id, agent_id, hour) do update set
    added = s.added + excluded.added,
    duplicates = s.duplicates + excluded.duplicates,
    superseded = s.superseded + excluded.superseded,
    updated = s.updated + excluded.updated,
    forgotten = s.forgotten + excluded.forgotten,
    erased = s.erased + excluded.erased,
    recalls = s.recalls + excluded.recalls,
    empty_recalls = s.empty_recalls + excluded.empty_recalls,
    embedding_tokens = s.embedding_tokens + excluded.embedding_tokens,
    query_tokens = s.query_tokens + excluded.query_tokens,
    latencies = agent_memory.summed(s.latencies, excluded.latencies),
    updated_at = excluded.updated_at;
  get diagnostics written = row_count;
  return written;
end
$$;
comment on function public.add_memory_stats(jsonb) is
  'Adds counts to agent_memory_stats of the caller''s organization and answers how many rows took them. counts is a list of objects with agent_id, hour (a time in it, of the last 31 days) and any of added, duplicates, superseded, updated, forgotten, erased, recalls, empty_recalls, embedding_tokens, query_tokens, latencies (32 counts), each agent and hour once. For every member and key; a program for its own agent alone. Clients gather counts and call it now and then, never in the course of a recall. Raises PM001, PM002, PM003.';

-- Statistics ----------------------------------------------------------------------------------

create or replace function agent_memory.roll_up_stats(before timestamptz, match_limit integer)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  rolled bigint;
begin
  with hours as (
    delete from public.agent_memory_stats as s
    using (
      select h.organization_id, h.agent_id, h.hour from public.agent_memory_stats as h
      where h.hour < date_trunc('day', before, 'UTC') and h.hour <> date_trunc('day', h.hour, 'UTC')
      order by h.organization_id, h.agent_id, h.hour limit match_limit for update) as chosen
    where s.organization_id = chosen.organization_id and s.agent_id = chosen.agent_id and s.hour = chosen.hour
    returning s.*
  ), latencies as (
    select l.organization_id, l.agent_id, l.day, array_agg(l.recalls order by l.place) as latencies
    from (
      select h.organization_id, h.agent_id, date_trunc('day', h.hour, 'UTC') as day, b.place, sum(b.recalls)::bigint as recalls
      from hours as h cross join lateral unnest(h.latencies) with ordinality as b (recalls, place)
      group by 1, 2, 3, 4) as l
    group by 1, 2, 3
  ), days as (
    insert into public.agent_memory_stats as s (
      organization_id, agent_id, hour, added, duplicates, superseded, updated, forgotten, erased, recalls, empty_recalls,
      embedding_tokens, query_tokens, latencies, updated_at)
    select h.organization_id, h.agent_id, l.day, sum(h.added), sum(h.duplicates), sum(h.superseded), sum(h.updated),
           sum(h.forgotten), sum(h.erased), sum(h.recalls), sum(h.empty_recalls), sum(h.embedding_tokens), sum(h.query_tokens),
           l.latencies, agent_memory.now()
    from hours as h
    join latencies as l on l.organization_id = h.organization_id and l.agent_id = h.agent_id and l.day = date_trunc('day', h.hour, 'UTC')
    group by h.organization_id, h.agent_id, l.day, l.latencies
    order by 1, 2, 3
    on conflict (organization_id, agent_id, hour) do update set
      added = s.added + excluded.added, duplicates = s.duplicates + excluded.duplicates,
      superseded = s.superseded + excluded.superseded, updated = s.updated + excluded.updated,
      forgotten = s.forgotten + excluded.forgotten, erased = s.erased + excluded.erased,
      recalls = s.recalls + excluded.recalls, empty_recalls = s.empty_recalls + excluded.empty_recalls,
      embedding_tokens = s.embedding_tokens + excluded.embedding_tokens, query_tokens = s.query_tokens + excluded.query_tokens,
      latencies = agent_memory.summed(s.latencies, excluded.latencies), updated_at = excluded.updated_at
  )
  select count(*) into rolled from hours;
  return rolled;
end
$$;
comment on function agent_memory.roll_up_stats(timestamptz, integer) is
  'Adds up to match_limit hours of statistics from before the day (UTC) of a time to the first hour of their day, which then stands for the day, and says how many hours went. 0: nothing is left to add up. Sums over days, and over longer times, stay the same.';
