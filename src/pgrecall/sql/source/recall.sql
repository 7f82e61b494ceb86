-- Recall -------------------------------------------------------------------------------------

select agent_memory.define_type('memory_in_context', 'hit agent_memory.recalled_memory, speaker text, before jsonb, after jsonb');
comment on type agent_memory.memory_in_context is
  'A hit; who said it, if it is known; of a message also the message of its conversation before it and the one after it, each {id, content, speaker, trust, user_id, occurred_at}, null where there is none that the caller may see.';

create or replace function agent_memory.step(step text, ids uuid[], began timestamptz)
returns jsonb
language plpgsql volatile parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return jsonb_build_object('step', step, 'rows', cardinality(ids),
    'milliseconds', round(1000 * extract(epoch from clock_timestamp() - began)::numeric, 3));
end
$$;
comment on function agent_memory.step(text, uuid[], timestamptz) is
  'A step of a recall for its explanation: how many memories it left, and how long it took until now.';

create or replace function agent_memory.recalled(
  reach agent_memory.reach, query text, query_embedding real[], embedding_model text, match_limit integer,
  min_score real, is_explained boolean)
returns table (hit agent_memory.recalled_memory, parts jsonb)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  org constant uuid := (reach.caller).organization_id;
  settings constant jsonb := agent_memory.effective_settings(org, coalesce((reach.caller).program, reach.agent_id));
  has_meaning boolean;
  terms tsquery[];
  probe record;
  ids uuid[];
  background agent_memory.background;
  rarities real[];
  cues agent_memory.query_cues;
  compared integer;
  is_exact boolean := true;
  chosen record;
  without_vector bigint;
  steps jsonb;
  said text;
  began timestamptz := clock_timestamp();
begin
  match_limit := coalesce(match_limit, (settings ->> 'limit')::integer);
  min_score := coalesce(min_score, 0);
  if match_limit not between 1 and 1000 then
    raise exception using errcode = 'PM003', message = 'match_limit must be from 1 to 1000';
  elsif query is null or char_length(query) > 100000 then
    raise exception using errcode = 'PM003', message = 'query must be a text of at most 100,000 characters',
      hint = 'Its first 4,000 characters are searched for.';
  end if;
  has_meaning := agent_memory.check_embedding(org, query_embedding, embedding_model);
  if not has_meaning then
    query_embedding := null;
  end if;
  terms := array(select t.term from agent_memory.query_terms(query, agent_memory.languages(org)) as t);

  select * into probe from agent_memory.probed(reach);
  if probe.share is null then
    ids := agent_memory.in_reach(reach, null, probe.whole_limit + 1);
    compared := cardinality(ids);
    steps := jsonb_build_array(agent_memory.step('scope', ids, began));
  else
    steps := jsonb_build_array(agent_memory.step('sample', probe.sample, began));
  end if;
  if probe.share is not null or compared > probe.whole_limit then
    select * into chosen from agent_memory.candidates(
      reach, query, terms, query_embedding, embedding_model, settings, match_limit, probe.sample, probe.share);
    ids := chosen.ids;
    background := chosen.background;
    rarities := chosen.rarities;
    cues := chosen.cues;
    compared := chosen.compared;
    is_exact := chosen.is_exact;
    steps := steps || chosen.steps;
  else
    cues := agent_memory.query_cues(query, reach.valid_at, org, ids);
  end if;

  began := clock_timestamp();
  return query
    select row(m.id, m.content, m.kind, m.user_id, m.agent_id, c.context_key, m.metadata, m.trust,
               m.occurred_at, m.valid_from, m.valid_to, m.created_at,
               s.score, s.semantic, s.lexical, s.recency, s.importance)::agent_memory.recalled_memory, s.parts
    from agent_memory.score_memories(
      org, ids, terms, rarities, query_embedding, embedding_model, cues, reach.valid_at, settings, background, true,
      match_limit, min_score, is_explained) as s
    -- One by one, by their keys: there are few of them, however many the organization has.
    cross join lateral (
      select * from public.ai_memories as o where o.organization_id = org and o.id = s.id offset 0) as m
    left join lateral (
      select o.context_key from public.ai_memory_contexts as o
      where o.organization_id = org and o.id = m.context_id offset 0) as c on true
    order by s.score desc, m.id desc;

  if is_explained and has_meaning then
    without_vector := cardinality(ids) - (
      select count(*) from agent_memory.similarities(org, embedding_model, query_embedding, ids));
  end if;
  -- For explain(): a setting of the transaction, so that nothing is written.
  said := set_config('pgrecall.last_recall', jsonb_build_object(
    'compared', compared, 'is_exact', is_exact, 'terms', cardinality(terms),
    'has_vector', has_meaning or agent_memory.has_vector(), 'has_meaning', has_meaning, 'valid_at', reach.valid_at,
    'token_budget', settings -> 'token_budget', 'steps', steps || agent_memory.step('scoring', ids, began),
    'without_vector', without_vector)::text, true);
end
$$;
comment on function agent_memory.recalled(agent_memory.reach, text, real[], text, integer, real, boolean) is
  'What recall_memories(), recall_in_context() and explain_memories() have in common: the hits, best first, and, if explained, the parts of their scores. Leaves in the setting pgrecall.last_recall what was done.';

create or replace function public.recall_memories(
  query text, query_embedding real[] default null, embedding_model text default null,
  agent_id text default null, user_id text default null, context_key text default null,
  kinds text[] default null, metadata jsonb default null, since timestamptz default null,
  until timestamptz default null, as_of timestamptz default null,
  match_limit integer default null, min_score real default 0)
returns setof agent_memory.recalled_memory
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select (r.hit).* from agent_memory.recalled(
    row(agent_memory.require_member('recall'), agent_id, user_id, context_key, kinds, metadata, since, until,
        coalesce(as_of, agent_memory.now()))::agent_memory.reach,
    query, query_embedding, embedding_model, match_limit, min_score, false) as r;
end
$$;
comment on function public.recall_memories(text, real[], text, text, text, text, text[], jsonb, timestamptz, timestamptz, timestamptz, integer, real) is
  'The memories that answer a question best, best first, of those that the caller may see, that are valid now or at as_of and pass the filters. Works without an embedding, from the text alone. Exact up to agent_memory.exact_limit() memories in scope; above, indexes choose candidates, and never fewer come back than exist. What is not said, match_limit above all, is as effective_settings() have it: a program''s own, else those of the agent that is named. Writes nothing. Raises PM001, PM003, PM005.';

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

create or replace function public.recall_in_context(
  query text, query_embedding real[] default null, embedding_model text default null,
  agent_id text default null, user_id text default null, context_key text default null,
  kinds text[] default null, metadata jsonb default null, since timestamptz default null,
  until timestamptz default null, as_of timestamptz default null,
  match_limit integer default null, min_score real default 0)
returns setof agent_memory.memory_in_context
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  reach constant agent_memory.reach := row(
    agent_memory.require_member('recall'), agent_id, user_id, context_key, kinds, metadata, since, until,
    coalesce(as_of, agent_memory.now()))::agent_memory.reach;
  hits agent_memory.recalled_memory[] := array(
    select r.hit from agent_memory.recalled(
      reach, query, query_embedding, embedding_model, match_limit, min_score, false) as r);
begin
  return query
    select row(h.id, h.content, h.kind, h.user_id, h.agent_id, h.context_key, h.metadata, h.trust, h.occurred_at,
               h.valid_from, h.valid_to, h.created_at, h.score, h.semantic, h.lexical, h.recency,
               h.importance)::agent_memory.recalled_memory, s.speaker, s.before, s.after
    from unnest(hits) as h
    left join agent_memory.surroundings(
      reach.caller, array(select m.id from unnest(hits) as m), reach.valid_at) as s on s.id = h.id
    order by h.score desc, h.id desc;
end
$$;
comment on function public.recall_in_context(text, real[], text, text, text, text, text[], jsonb, timestamptz, timestamptz, timestamptz, integer, real) is
  'What recall_memories() gives for the same arguments, each hit with its speaker and, if it is a message, with the messages before and after it in its conversation, of those that the caller may see and that are valid now or at as_of: an answer is not understood without its question. Writes nothing. Raises PM001, PM002, PM003, PM005.';
