-- pgrecall: what stands around a recall.
--
--   explain_memories(...)       the parts of each hit's score, by recalled() itself
--   recall_in_context(...)      the hits with what was said before and after each

-- Names below resolve to what they say, whatever the session's path was.
set search_path = pg_catalog, pg_temp;

create or replace function public.explain_memories(
  query text, query_embedding real[] default null, embedding_model text default null,
  agent_id text default null, user_id text default null, context_key text default null,
  kinds text[] default null, metadata jsonb default null, since timestamptz default null,
  until timestamptz default null, as_of timestamptz default null,
  match_limit integer default null, min_score real default 0)
returns table (id uuid, score real, signals jsonb)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
begin
  return query select (r.hit).id, (r.hit).score, r.parts from agent_memory.recalled(
    row(agent_memory.require_member('recall'), agent_id, user_id, context_key, kinds, metadata, since, until,
        coalesce(as_of, agent_memory.now()))::agent_memory.reach,
    query, query_embedding, embedding_model, match_limit, min_score, true) as r;
end
$$;
comment on function public.explain_memories(text, real[], text, text, text, text, text[], jsonb, timestamptz, timestamptz, timestamptz, integer, real) is
  'Why recall_memories() gives what it gives for the same arguments: for each hit, in the same order, its score and its signals, an object of name -> {raw, scaled, weight, contribution}. raw is the signal as computed, null where there is none (a memory without a vector, a signal that is yes or no); scaled is 0 to 1 within the recall; contribution = weight * scaled / the sum of the weights above 0, and the contributions add up to the score. Takes about a third longer. Writes nothing. Raises PM001, PM002, PM003, PM005.';

do $types$
begin
  if pg_catalog.to_regtype('public.memory_in_context') is null then
    create type public.memory_in_context as (hit public.recalled_memory, speaker text, before jsonb, after jsonb);
  end if;
end
$types$;
comment on type public.memory_in_context is
  'A hit; who said it, if it is known; of a message also the message of its conversation before it and the one after it, each {id, content, speaker, trust, user_id, occurred_at}, null where there is none that the caller may see.';

create or replace function agent_memory.surroundings(caller agent_memory.principal, ids uuid[], valid_at timestamptz)
returns table (id uuid, speaker text, before jsonb, after jsonb)
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
as $$
#variable_conflict use_column
begin
  return query
  select m.id, m.speaker, earlier.message, later.message
  from public.ai_memories as m
  left join lateral (
    select jsonb_build_object('id', o.id, 'content', o.content, 'speaker', o.speaker, 'trust', o.trust,
                              'user_id', o.user_id, 'occurred_at', o.occurred_at) as message
    from public.ai_memories as o
    where o.organization_id = caller.organization_id and o.context_id = m.context_id and o.kind = 'message'
      and o.occurred_at <= m.occurred_at and (o.occurred_at, o.id) < (m.occurred_at, m.id)
      and agent_memory.may_read(o.visibility, o.user_id, o.agent_id, caller.person, caller.program)
      and o.forgotten_at is null and o.valid_from <= valid_at and (o.valid_to is null or o.valid_to > valid_at)
      and (o.expires_at is null or o.expires_at > valid_at)
    order by o.occurred_at desc, o.id desc limit 1) as earlier on m.kind = 'message'
  left join lateral (
    select jsonb_build_object('id', o.id, 'content', o.content, 'speaker', o.speaker, 'trust', o.trust,
                              'user_id', o.user_id, 'occurred_at', o.occurred_at) as message
    from public.ai_memories as o
    where o.organization_id = caller.organization_id and o.context_id = m.context_id and o.kind = 'message'
      and o.occurred_at >= m.occurred_at and (o.occurred_at, o.id) > (m.occurred_at, m.id)
      and agent_memory.may_read(o.visibility, o.user_id, o.agent_id, caller.person, caller.program)
      and o.forgotten_at is null and o.valid_from <= valid_at and (o.valid_to is null or o.valid_to > valid_at)
      and (o.expires_at is null or o.expires_at > valid_at)
    order by o.occurred_at, o.id limit 1) as later on m.kind = 'message'
  where m.organization_id = caller.organization_id and m.id = any (ids);
end
$$;
comment on function agent_memory.surroundings(agent_memory.principal, uuid[], timestamptz) is
  'Who said each of some memories, which the caller must be known to see, and the messages before and after it that the caller may see and that are valid at a time.';

create or replace function public.recall_in_context(
  query text, query_embedding real[] default null, embedding_model text default null,
  agent_id text default null, user_id text default null, context_key text default null,
  kinds text[] default null, metadata jsonb default null, since timestamptz default null,
  until timestamptz default null, as_of timestamptz default null,
  match_limit integer default null, min_score real default 0)
returns setof public.memory_in_context
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  reach constant agent_memory.reach := row(
    agent_memory.require_member('recall'), agent_id, user_id, context_key, kinds, metadata, since, until,
    coalesce(as_of, agent_memory.now()))::agent_memory.reach;
  hits public.recalled_memory[] := array(
    select r.hit from agent_memory.recalled(
      reach, query, query_embedding, embedding_model, match_limit, min_score, false) as r);
begin
  return query
    select row(h.id, h.content, h.kind, h.user_id, h.agent_id, h.context_key, h.metadata, h.trust, h.occurred_at,
               h.valid_from, h.valid_to, h.created_at, h.score, h.semantic, h.lexical, h.recency,
               h.importance)::public.recalled_memory, s.speaker, s.before, s.after
    from unnest(hits) as h
    left join agent_memory.surroundings(
      reach.caller, array(select m.id from unnest(hits) as m), reach.valid_at) as s on s.id = h.id
    order by h.score desc, h.id desc;
end
$$;
comment on function public.recall_in_context(text, real[], text, text, text, text, text[], jsonb, timestamptz, timestamptz, timestamptz, integer, real) is
  'What recall_memories() gives for the same arguments, each hit with its speaker and, if it is a message, with the messages before and after it in its conversation, of those that the caller may see and that are valid now or at as_of: an answer is not understood without its question. Writes nothing. Raises PM001, PM002, PM003, PM005.';

select agent_memory.expose(function::regprocedure, variadic callers)
from (values
  ('agent_memory.surroundings(agent_memory.principal, uuid[], timestamptz)', '{}'::text[]),
  ('public.explain_memories(text, real[], text, text, text, text, text[], jsonb, timestamptz, timestamptz, timestamptz, integer, real)', '{authenticated,service_role}'),
  ('public.recall_in_context(text, real[], text, text, text, text, text[], jsonb, timestamptz, timestamptz, timestamptz, integer, real)', '{authenticated,service_role}')
) as grants (function, callers);

-- What comes next on this connection, which a pooler may give to somebody else, has its own path.
reset search_path;
