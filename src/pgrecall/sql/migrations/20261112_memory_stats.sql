-- pgrecall: how counts come into agent_memory_stats.

-- Names below resolve to what they say, whatever the session's path was.
set search_path = pg_catalog, pg_temp;

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

select agent_memory.expose(function::regprocedure, variadic callers)
from (values
  ('agent_memory.summed(bigint[], bigint[])', '{}'::text[]),
  ('agent_memory.is_count(jsonb)', '{}'),
  ('agent_memory.stats_problem(jsonb)', '{}'),
  ('public.add_memory_stats(jsonb)', '{authenticated,service_role}')
) as grants (function, callers);

-- What comes next on this connection, which a pooler may give to somebody else, has its own path.
reset search_path;
