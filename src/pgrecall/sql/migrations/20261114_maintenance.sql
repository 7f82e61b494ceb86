-- pgrecall: what is done from time to time, on the connection of the schema's owner.
--
--   agent_memory.retained_agents()       whose memories have a bound, and which
--   agent_memory.due_memories(...)       those past it
--   agent_memory.retain(...)             forgets or erases a batch of them
--   agent_memory.retain_all(...)         the same for everyone: for pg_cron
--   agent_memory.dropped_vectors()       vectors of dropped models that are still there
--   agent_memory.delete_dropped(...)     deletes a batch of them
--   agent_memory.roll_up_stats(...)      hours long past into days
--
-- Each does a bounded piece of work in the caller's transaction, and is to be called again until it
-- has nothing to do. `pgrecall maintain` does, and what SQL functions can't: VACUUM, REINDEX.

-- Names below resolve to what they say, whatever the session's path was.
set search_path = pg_catalog, pg_temp;

-- Retention -----------------------------------------------------------------------------------

create or replace function agent_memory.retained_agents()
returns table (organization_id uuid, agent_id text, retention jsonb)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select held.organization_id, held.agent_id, s.retention
  from (
    select o.organization_id, m.agent_id
    from public.organizations as o
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
  ids := array(
    select m.id from public.ai_memories as m
    where m.organization_id = retain.organization_id and m.id = any (ids) and m.forgotten_at is null
    order by m.id for update);
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

-- Vectors of dropped models -------------------------------------------------------------------

create or replace function agent_memory.dropped_vectors()
returns table (organization_id uuid, agent_id text, model text, vectors bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  if not agent_memory.has_vector() then
    return;
  end if;
  return query
    select d.organization_id, d.agent_id, d.model, count(*)
    from public.agent_memory_models as d
    join public.ai_memory_embeddings as e on e.organization_id = d.organization_id and e.model = d.model
    join public.ai_memories as m on m.organization_id = d.organization_id and m.id = e.memory_id and m.agent_id = d.agent_id
    where d.state = 'dropped'
    group by d.organization_id, d.agent_id, d.model
    order by d.organization_id, d.agent_id, d.model;
end
$$;
comment on function agent_memory.dropped_vectors() is
  'How many vectors of dropped models are still there, of all organizations: drop_embedding_model() was not repeated to its end.';

create or replace function agent_memory.delete_dropped(organization_id uuid, agent_id text, model text, match_limit integer)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  deleted bigint;
begin
  -- As drop_embedding_model() does, so that a model that is added again meanwhile is left alone.
  perform from public.organizations as o where o.organization_id = delete_dropped.organization_id for update;
  delete from public.ai_memory_embeddings as e
    using (
      select v.memory_id from public.ai_memory_embeddings as v
      join public.ai_memories as m on m.organization_id = delete_dropped.organization_id and m.id = v.memory_id
      where v.organization_id = delete_dropped.organization_id and v.model = delete_dropped.model
        and m.agent_id = delete_dropped.agent_id and exists (
          select from public.agent_memory_models as d
          where d.organization_id = delete_dropped.organization_id and d.agent_id = delete_dropped.agent_id
            and d.model = delete_dropped.model and d.state = 'dropped')
      order by v.memory_id limit match_limit) as doomed
    where e.organization_id = delete_dropped.organization_id and e.model = delete_dropped.model
      and e.memory_id = doomed.memory_id;
  get diagnostics deleted = row_count;
  return deleted;
end
$$;
comment on function agent_memory.delete_dropped(uuid, text, text, integer) is
  'Deletes up to match_limit vectors of a model that an agent has dropped, and says how many. 0: none is left.';

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

select agent_memory.expose(function::regprocedure, variadic callers)
from (values
  ('agent_memory.retained_agents()', '{}'::text[]),
  ('agent_memory.due_memories(uuid, text, jsonb, integer)', '{}'),
  ('agent_memory.retain(uuid, text, integer)', '{}'),
  ('agent_memory.retain_all(integer)', '{}'),
  ('agent_memory.dropped_vectors()', '{}'),
  ('agent_memory.delete_dropped(uuid, text, text, integer)', '{}'),
  ('agent_memory.roll_up_stats(timestamptz, integer)', '{}')
) as grants (function, callers);

-- What comes next on this connection, which a pooler may give to somebody else, has its own path.
reset search_path;
