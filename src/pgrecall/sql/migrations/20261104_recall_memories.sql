-- pgrecall: recall.
--
--   recall_memories(...), and recalled(), which does it and notes the steps for an explanation
--     |- query_terms()      the question's lexemes
--     |- in_reach()         what the caller may see and asks about: the scope
--     |- candidates()       of a scope too large to compare one by one, the promising ones, by index
--     `- score_memories()   every signal of every memory in one statement, fused by recall_weights()
--
-- Signals, each scaled to 0..1 within one recall, then weighted and added (fusion of scores; it
-- beat fusion of ranks by .14 in recall@10 when this was designed, see docs/recall.md):
--   own words        sum over the question's lexemes of idf * ts_rank of the memory's own words,
--                    by the best. For one lexeme ts_rank saturates with its frequency, as BM25
--                    does; idf = ln(1 + (N - df + 0.5) / (df + 0.5)), counted in the statement.
--   window           the same with the words of the three messages before it, at half their weight
--   meaning          cosine similarity, scaled by its range
--   conversation     the same two for the memory's whole context
--   speaker          1 where the question names who said it
--   user's words     1 for what the user said themselves
--   length           logarithm of the length, 0 at 20 bytes and 1 at 1,000: long turns hold facts,
--                    short ones are courtesy
--   question         1 where the memory is itself a question (weight below 0)
--   recency          0.5 ^ (age / half-life)
--   importance       as stored

-- Names below resolve to what they say, whatever the session's path was.
set search_path = pg_catalog, pg_temp;

do $types$
begin
  if pg_catalog.to_regtype('public.recalled_memory') is null then
    create type public.recalled_memory as (
      id uuid, content text, kind text, user_id text, agent_id text, context_key text, metadata jsonb,
      trust text, occurred_at timestamptz, valid_from timestamptz, valid_to timestamptz,
      created_at timestamptz, score real, semantic real, lexical real, recency real, importance real);
  end if;
  if pg_catalog.to_regtype('agent_memory.background') is null then
    create type agent_memory.background as (
      memories double precision, shares double precision[], mean double precision);
  end if;
  if pg_catalog.to_regtype('agent_memory.recall_weights') is null then
    create type agent_memory.recall_weights as (
      own_words real, window_words real, meaning real, context_words real, context_meaning real,
      speaker real, user_words real, length real, question real, recency real, importance real,
      half_life interval);
  end if;
end
$types$;
comment on type agent_memory.background is
  'What a large organization is like, estimated: how many memories it has, the share of them that each term is in, the mean similarity to the question.';
comment on type public.recalled_memory is
  'One hit. score: 0 to about 1, comparable within one recall. Its parts: semantic, the cosine similarity, -1 to 1, null without one; lexical, 0 to 1, by the best match of this recall; recency, 0 to 1; importance, 0 to 1.';

create or replace function agent_memory.recall_weights()
returns agent_memory.recall_weights
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select row(.56, .43, .75, .21, .32, .49, 1.17, .45, -.11, .05, .2, interval '30 days')::agent_memory.recall_weights
$$;
comment on function agent_memory.recall_weights() is
  'What each signal counts for, in one place. Fitted on three kinds of conversation together (docs/recall.md); recency and importance are small, since they say nothing about the question.';

create or replace function agent_memory.recall_weights(settings jsonb)
returns agent_memory.recall_weights
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  if not settings ?| '{weights,half_life}' then
    return agent_memory.recall_weights();
  end if;
  return jsonb_populate_record(agent_memory.recall_weights(), coalesce(settings -> 'weights', '{}')
    || jsonb_strip_nulls(jsonb_build_object('half_life', settings ->> 'half_life' || ' days')));
end
$$;
comment on function agent_memory.recall_weights(jsonb) is
  'The weights as some effective_settings() have them; those that they don''t name as they are built in.';

create or replace function agent_memory.languages(organization_id uuid)
returns text[]
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select array(
    select 'english'
    union
    select l.language from public.agent_memory_config as c, unnest(c.languages) as l (language)
    where c.organization_id = languages.organization_id)
$$;
comment on function agent_memory.languages(uuid) is 'The languages that an organization remembers in, and english, which needs no note.';

create or replace function agent_memory.query_terms(query text, languages text[])
returns table (lexeme text, term tsquery)
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select l.lexeme,
         ('''' || pg_catalog.replace(pg_catalog.replace(l.lexeme, '\', '\\'), '''', '''''') || '''')::tsquery
  from (select distinct found.lexeme
        from pg_catalog.unnest(languages) as spoken (language)
        cross join pg_catalog.unnest(pg_catalog.tsvector_to_array(
          agent_memory.lexemes(spoken.language, pg_catalog.left(query, 4000)))) as found (lexeme)
        cross join (select agent_memory.detected_language(query) as language offset 0) as asked
        -- A stop word of the question's language is none in another, where it would be rare and so count much.
        where pg_catalog.cardinality(languages) = 1 or asked.language is null
          or agent_memory.lexemes(asked.language, found.lexeme) <> '') as l
  order by pg_catalog.length(l.lexeme) desc, l.lexeme
  limit 64
$$;
comment on function agent_memory.query_terms(text, text[]) is
  'The lexemes of a question in each of some languages, each as a tsquery of its own: at most 64, of its first 4,000 characters.';

-- The scope -----------------------------------------------------------------------------------

create or replace function agent_memory.in_reach(
  caller agent_memory.principal, agent_id text, user_id text, context_key text, kinds text[], metadata jsonb,
  since timestamptz, until timestamptz, valid_at timestamptz, among uuid[], row_limit integer)
returns uuid[]
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
-- A bitmap would hold all that an organization has before the first row comes back.
set enable_bitmapscan = off
as $$
#variable_conflict use_variable
begin
  return array(
    select m.id
    from public.ai_memories as m
    where m.organization_id = caller.organization_id
      and agent_memory.may_read(m.visibility, m.user_id, m.agent_id, caller.person, caller.program)
      and m.forgotten_at is null
      and m.valid_from <= valid_at and (m.valid_to is null or m.valid_to > valid_at)
      and (m.expires_at is null or m.expires_at > valid_at)
      and (among is null or m.id = any (among))
      and (agent_id is null or m.agent_id = agent_id)
      and (user_id is null or m.user_id = user_id)
      and (context_key is null or m.context_id in (
        select c.id from public.ai_memory_contexts as c
        where c.organization_id = caller.organization_id and c.context_key = in_reach.context_key))
      and (kinds is null or m.kind = any (kinds))
      and (metadata is null or m.metadata @> metadata)
      and (since is null or m.occurred_at >= since)
      and (until is null or m.occurred_at < until)
    limit row_limit);
end
$$;
comment on function agent_memory.in_reach(agent_memory.principal, text, text, text, text[], jsonb, timestamptz, timestamptz, timestamptz, uuid[], integer) is
  'The memories that a caller may see, that are valid at a time and pass the filters; at most row_limit of them. Planned anew each time, so that filters that are absent cost nothing.';

-- Scoring -------------------------------------------------------------------------------------

create or replace function agent_memory.score_memories(
  organization_id uuid, ids uuid[], terms tsquery[], rarities real[], query_embedding real[], model text,
  reference timestamptz, weight agent_memory.recall_weights, background agent_memory.background default null,
  explained uuid[] default null)
returns table (id uuid, score real, semantic real, lexical real, recency real, importance real, parts jsonb)
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
  -- All of them may be set to 0.
  total constant real := greatest(1e-6, weight.own_words + weight.window_words + weight.context_words + weight.speaker
    + weight.user_words + weight.length + weight.recency + weight.importance
    + case when query_embedding is null then 0 else weight.meaning + weight.context_meaning end);
  -- As double precision: with numeric literals the same arithmetic takes three times as long.
  half constant double precision := 0.5;
  -- From a word or two to a paragraph.
  shortest constant double precision := ln(20);
  longest constant double precision := ln(1000);
  half_life constant double precision := extract(epoch from weight.half_life);
begin
  return query
  with scope as materialized (
    -- A memory outside any conversation counts as a conversation of its own.
    select m.id, coalesce(m.context_id, m.id) as context_id, m.search_vector, m.importance, m.trust, m.occurred_at,
           least(1, greatest(0, (ln(octet_length(m.content)) - shortest) / (longest - shortest))) as size, right(m.content, 1) = '?' as asks
    from public.ai_memories as m
    where m.organization_id = score_memories.organization_id and m.id = any (ids)
  ), matches as materialized (
    select s.id, s.context_id, t.ordinal,
           ts_rank('{0,0,0,1}', s.search_vector, t.term) as own,
           ts_rank('{0,1,0,0}', s.search_vector, t.term) as before,
           ts_rank('{0,0,1,0}', s.search_vector, t.term) > 0 as is_named
    from unnest(terms) with ordinality as t (term, ordinal)
    cross join scope as s
    where s.search_vector @@ t.term
  ), rarity as (
    select m.ordinal,
           coalesce(rarities[m.ordinal], ln(1 + (cardinality(ids) - count(*) + half) / (count(*) + half))) as idf
    from matches as m group by m.ordinal
  ), words as (
    select m.id, sum(m.own * r.idf) as own, bool_or(m.is_named) as is_named,
           sum((1 - (1 - m.own) * (1 - half * m.before)) * r.idf) as windowed
    from matches as m join rarity as r on r.ordinal = m.ordinal
    group by m.id
  ), context_matches as (
    select m.context_id, m.ordinal, sum(m.own) as own
    from matches as m where m.own > 0
    group by m.context_id, m.ordinal
  ), context_words as (
    select m.context_id, sum(m.own / (m.own + 1) * r.idf) as words
    from context_matches as m join rarity as r on r.ordinal = m.ordinal
    group by m.context_id
  ), raw as (
    select s.id, s.importance, s.trust, s.size, s.asks, w.is_named,
           coalesce(w.own, 0) as own, coalesce(w.windowed, 0) as windowed, coalesce(c.words, 0) as context_words,
           e.similarity, coalesce(background.mean, avg(e.similarity) over ()) as mean,
           -- Drawn towards the mean of all, as if three more average memories were in the
           -- conversation, so that one by itself does not count its own similarity twice.
           (sum(e.similarity) over (partition by s.context_id) + 3 * coalesce(background.mean, avg(e.similarity) over ()))
             / (count(e.similarity) over (partition by s.context_id) + 3) as context_similarity,
           -- Without the bound old memories would underflow, which is an error.
           power(half, least(100, greatest(0, extract(epoch from reference - s.occurred_at)::double precision / half_life))) as recency
    from scope as s
    left join words as w on w.id = s.id
    left join context_words as c on c.context_id = s.context_id
    left join agent_memory.similarities(score_memories.organization_id, model, query_embedding, ids) as e
      on e.memory_id = s.id
  ), scaled as (
    select r.id, r.importance, r.similarity, r.recency, r.trust, r.asks, r.is_named,
           r.own as raw_own, r.windowed as raw_windowed, r.context_words as raw_context_words, r.context_similarity,
           coalesce(r.own / nullif(max(r.own) over (), 0), 0) as own,
           coalesce(r.windowed / nullif(max(r.windowed) over (), 0), 0) as windowed,
           coalesce(r.context_words / nullif(max(r.context_words) over (), 0), 0) as context_words,
           -- From the mean of all to the best: the lowest is a matter of chance, and of how many there are.
           greatest(0, coalesce((r.similarity - r.mean) / nullif(max(r.similarity) over () - r.mean, 0), 0)) as meaning,
           greatest(0, coalesce((r.context_similarity - r.mean) / nullif(max(r.context_similarity) over () - r.mean, 0), 0)) as context_meaning,
           r.size
    from raw as r
  )
  select s.id,
    ((weight.own_words * s.own + weight.window_words * s.windowed + weight.context_words * s.context_words
      + weight.meaning * s.meaning + weight.context_meaning * s.context_meaning
      + case when s.is_named then weight.speaker else 0 end
      + case when s.trust not in ('assistant', 'tool') then weight.user_words else 0 end
      + case when s.asks then weight.question else 0 end
      + weight.length * s.size + weight.recency * s.recency + weight.importance * s.importance) / total)::real,
    s.similarity::real,
    ((weight.own_words * s.own + weight.window_words * s.windowed + weight.context_words * s.context_words)
     / greatest(1e-6, weight.own_words + weight.window_words + weight.context_words))::real,
    s.recency::real, s.importance,
    -- The sum above once more, part by part: (name, raw, scaled, weight).
    case when s.id = any (explained) then (
      select jsonb_object_agg(p.name, jsonb_build_object(
        'raw', round(p.raw::numeric, 6), 'scaled', round(p.scaled::numeric, 6), 'weight', p.weight,
        'contribution', round((p.weight * p.scaled / total)::numeric, 6)))
      from (values
        ('own_words', s.raw_own, s.own, weight.own_words),
        ('window_words', s.raw_windowed, s.windowed, weight.window_words),
        ('context_words', s.raw_context_words, s.context_words, weight.context_words),
        ('meaning', s.similarity, s.meaning, weight.meaning),
        ('context_meaning', s.context_similarity, s.context_meaning, weight.context_meaning),
        ('speaker', null, coalesce(s.is_named, false)::integer, weight.speaker),
        ('user_words', null, (s.trust not in ('assistant', 'tool'))::integer, weight.user_words),
        ('length', null, s.size, weight.length),
        ('question', null, s.asks::integer, weight.question),
        ('recency', null, s.recency, weight.recency),
        ('importance', null, s.importance, weight.importance)
      ) as p (name, raw, scaled, weight)
      where query_embedding is not null or p.name not in ('meaning', 'context_meaning')) end
  from scaled as s;
end
$$;
comment on function agent_memory.score_memories(uuid, uuid[], tsquery[], real[], real[], text, timestamptz, agent_memory.recall_weights, agent_memory.background, uuid[]) is
  'Every signal of the named memories for one question, weighted and fused. Where they are candidates out of many, rarities holds the terms'' idf and background what all are like, so that they score as they would among all; else both are those of these memories. parts, of the memories to be explained alone, is what explain_memories() gives; its contributions add up to the score.';

-- Candidates of a large scope -----------------------------------------------------------------

create or replace function agent_memory.estimated_memories(organization_id uuid)
returns double precision
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select greatest(2.0 * agent_memory.exact_limit(), (
    select c.reltuples * f.share
    from pg_class as c
    join pg_stats as s on s.schemaname = 'public' and s.tablename = 'ai_memories' and s.attname = 'organization_id'
    cross join unnest(s.most_common_vals::text::uuid[], s.most_common_freqs) as f (id, share)
    where c.oid = 'public.ai_memories'::regclass and f.id = estimated_memories.organization_id))
$$;
comment on function agent_memory.estimated_memories(uuid) is
  'About how many memories a large organization has, from the planner''s statistics; the least that a large one has where they don''t say.';

create or replace function agent_memory.sampled(organization_id uuid)
returns uuid[]
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
as $$
  -- Ids begin with 48 bits of time: the next memory after each of 400 moments between the first and the last.
  with ends as (
    select (select m.id from public.ai_memories as m
            where m.organization_id = sampled.organization_id order by m.id limit 1) as first,
           (select m.id from public.ai_memories as m
            where m.organization_id = sampled.organization_id order by m.id desc limit 1) as last
  ), moments as (
    select ('x' || left(replace(e.first::text, '-', ''), 12))::bit(48)::bigint as first,
           ('x' || left(replace(e.last::text, '-', ''), 12))::bit(48)::bigint as last
    from ends as e
  )
  select array_agg(distinct near.id)
  from moments as t
  cross join generate_series(0, 399) as place
  cross join lateral (
    select m.id from public.ai_memories as m
    where m.organization_id = sampled.organization_id
      and m.id >= rpad(lpad(to_hex(t.first + (t.last - t.first) * place / 400), 12, '0'), 32, '0')::uuid
    order by m.id limit 1) as near
$$;
comment on function agent_memory.sampled(uuid) is 'Up to 400 memories of an organization, from all of its time.';

create or replace function agent_memory.background(organization_id uuid, terms tsquery[], query_embedding real[], model text)
returns agent_memory.background
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
  ids constant uuid[] := agent_memory.sampled(background.organization_id);
  memories constant double precision := agent_memory.estimated_memories(background.organization_id);
  shares double precision[];
  average double precision;
begin
  shares := array(
    select count(m.id) / cardinality(ids)::double precision
    from unnest(terms) with ordinality as t (term, ordinal)
    left join public.ai_memories as m
      on m.organization_id = background.organization_id and m.id = any (ids) and m.search_vector @@ t.term
    group by t.ordinal order by t.ordinal);
  select avg(s.similarity) into average
    from agent_memory.similarities(background.organization_id, model, query_embedding, ids) as s;
  return row(memories, shares, average)::agent_memory.background;
end
$$;
comment on function agent_memory.background(uuid, tsquery[], real[], text) is
  'What a large organization is like beside a question, estimated from a sample of its memories.';

create or replace function agent_memory.term_counts(
  organization_id uuid, terms tsquery[], background agent_memory.background, row_limit integer)
returns integer[]
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
  select array_agg(case
      -- As the sample has it, too many to count.
      when background.shares[t.ordinal] * background.memories >= row_limit then (background.shares[t.ordinal] * background.memories)::integer
      else (select count(*)::integer from (
        select from public.ai_memories as m
        where m.organization_id = term_counts.organization_id and m.search_vector @@ t.term
        limit row_limit) as counted)
    end order by t.ordinal)
  from unnest(terms) with ordinality as t (term, ordinal)
$$;
comment on function agent_memory.term_counts(uuid, tsquery[], agent_memory.background, integer) is
  'How many memories of an organization each term is in: rare terms counted up to row_limit, others estimated.';

create or replace function agent_memory.neighbours(organization_id uuid, ids uuid[])
returns uuid[]
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
  select array_agg(distinct near.id)
  from public.ai_memories as m
  cross join lateral (
    select m.id
    union all
    (select n.id from public.ai_memories as n
     where n.organization_id = neighbours.organization_id and n.context_id = m.context_id
       and n.occurred_at >= m.occurred_at
     order by n.occurred_at limit 20)
    union all
    (select n.id from public.ai_memories as n
     where n.organization_id = neighbours.organization_id and n.context_id = m.context_id
       and n.occurred_at < m.occurred_at
     order by n.occurred_at desc limit 20)) as near
  where m.organization_id = neighbours.organization_id and m.id = any (ids)
$$;
comment on function agent_memory.neighbours(uuid, uuid[]) is
  'The named memories with up to 20 before and 20 after each in its conversation.';

create or replace function agent_memory.matching(organization_id uuid, terms tsquery[], counts integer[], row_limit integer)
returns setof uuid
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
  -- Any of the rare terms, until they make up row_limit; and all of the terms together.
  rare tsquery := (
    select string_agg(chosen.term::text, ' | ')::tsquery
    from (select t.term, sum(t.found) over (order by t.found, t.term::text) - t.found as before
          from unnest(terms, counts) as t (term, found) where t.found > 0) as chosen
    where chosen.before < row_limit);
  every tsquery := (select string_agg(t::text, ' & ')::tsquery from unnest(terms) as t);
begin
  return query
    (select m.id from public.ai_memories as m
     where m.organization_id = matching.organization_id and m.search_vector @@ every limit row_limit)
    union
    (select m.id from public.ai_memories as m
     where m.organization_id = matching.organization_id and m.search_vector @@ rare
     order by ts_rank(m.search_vector, rare) desc limit row_limit);
end
$$;
comment on function agent_memory.matching(uuid, tsquery[], integer[], integer) is
  'Memories of an organization that have all of the terms, or any of the rarest, by the text index.';

-- Recall --------------------------------------------------------------------------------------

create or replace function agent_memory.check_embedding(organization_id uuid, query_embedding real[], model text)
returns boolean
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  stored integer;
  -- Of a model that is no agent's current one: former, where one agent had it before, or next.
  beside text;
begin
  if query_embedding is null or not agent_memory.has_vector() then
    return false;
  elsif model is null then
    raise exception using errcode = 'PM005', message = 'query_embedding needs embedding_model',
      hint = 'Name the model as remember_memories was told it.';
  elsif array_position(query_embedding, null) is not null or 'NaN' = any (query_embedding)
        or not exists (select from unnest(query_embedding) as e having max(abs(e)) between 1e-6 and 65504) then
    raise exception using errcode = 'PM003',
      message = 'query_embedding must hold numbers from -65504 to 65504, not all of them zero or nearly so';
  end if;
  stored := agent_memory.stored_dimension(organization_id, model);
  select min(m.state) into beside from public.agent_memory_models as m
    where m.organization_id = check_embedding.organization_id and m.model = check_embedding.model and m.state <> 'dropped';
  if stored <> cardinality(query_embedding) then
    raise exception using errcode = 'PM005',
      message = format('query_embedding has %s dimensions; the vectors of %s stored here have %s', cardinality(query_embedding), model, stored),
      hint = 'Use the embedder that the stored vectors came from.';
  elsif stored is null and beside is null and model <> all (agent_memory.stored_models(organization_id)) then
    raise exception using errcode = 'PM005',
      message = format('nothing here has a vector of %s; the stored ones are of %s', model,
                       array_to_string(agent_memory.stored_models(organization_id), ', ')),
      hint = 'Use the embedder that the stored vectors came from.';
  end if;
  -- While a model is being filled in, its vectors would put the memories that have one first.
  return stored is not null
    and (beside is distinct from 'next' or coalesce(model = any (agent_memory.stored_models(organization_id)), false));
end
$$;
comment on function agent_memory.check_embedding(uuid, real[], text) is
  'Whether the question''s vector can be compared with what is stored: not while its model is still being filled in. PM005 if it is of another model or dimension.';

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
  caller agent_memory.principal, query text, query_embedding real[], embedding_model text, agent_id text, user_id text,
  context_key text, kinds text[], metadata jsonb, since timestamptz, until timestamptz, as_of timestamptz,
  match_limit integer, min_score real, is_explained boolean)
returns table (hit public.recalled_memory, parts jsonb)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  org constant uuid := caller.organization_id;
  settings constant jsonb := agent_memory.effective_settings(org, coalesce(caller.program, agent_id));
  weight constant agent_memory.recall_weights := agent_memory.recall_weights(settings);
  valid_at constant timestamptz := coalesce(as_of, agent_memory.now());
  exact_limit constant integer := agent_memory.exact_limit();
  word_limit integer;
  meaning_limit integer;
  background agent_memory.background;
  compared integer;
  has_meaning boolean;
  ids uuid[];
  by_words uuid[];
  by_meaning uuid[];
  explained uuid[];
  terms tsquery[];
  counts integer[];
  rarities real[];
  is_exact boolean := true;
  steps jsonb := '[]';
  began timestamptz := clock_timestamp();
begin
  match_limit := coalesce(match_limit, (settings ->> 'limit')::integer);
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

  ids := agent_memory.in_reach(caller, agent_id, user_id, context_key, kinds, metadata, since, until, valid_at, null, exact_limit + 1);
  steps := steps || agent_memory.step('scope', ids, began);
  compared := cardinality(ids);
  if cardinality(ids) > exact_limit then
    began := clock_timestamp();
    background := agent_memory.background(org, terms, query_embedding, embedding_model);
    counts := agent_memory.term_counts(org, terms, background, exact_limit);
    -- Above 200,000 memories ever more are about as near, and the best of them need not be the nearest.
    word_limit := least(2000, greatest(case when has_meaning then 500 else 1500 end, background.memories / 400));
    meaning_limit := least(1000, greatest(200, background.memories / 1000));
    by_words := array(select agent_memory.matching(org, terms, counts, word_limit));
    steps := steps || agent_memory.step('words', by_words, began);
    began := clock_timestamp();
    by_meaning := array(
      select n.memory_id from agent_memory.nearest(org, embedding_model, query_embedding, meaning_limit) as n
      where has_meaning);
    steps := steps || agent_memory.step('meaning', by_meaning, began);
    began := clock_timestamp();
    ids := agent_memory.in_reach(caller, agent_id, user_id, context_key, kinds, metadata, since, until, valid_at,
      array(select unnest(by_words) union select unnest(by_meaning)), null);
    steps := steps || agent_memory.step('filters', ids, began);
    began := clock_timestamp();
    compared := cardinality(ids);
    if compared >= greatest(match_limit, 100) then
      is_exact := false;
      rarities := array(select ln(1 + greatest(0, background.memories - c + 0.5) / (c + 0.5)) from unnest(counts) as c);
      -- The best of them once more, together with their conversations.
      ids := agent_memory.in_reach(caller, agent_id, user_id, context_key, kinds, metadata, since, until, valid_at,
        agent_memory.neighbours(org, array(
          select s.id from agent_memory.score_memories(
            org, ids, terms, rarities, query_embedding, embedding_model, valid_at, weight, background) as s
          order by s.score desc, s.id desc limit greatest(40, match_limit))), null);
      steps := steps || agent_memory.step('conversations', ids, began);
    else
      -- The filters left too few of the candidates: compare all, however many.
      background := null;
      ids := agent_memory.in_reach(caller, agent_id, user_id, context_key, kinds, metadata, since, until, valid_at, null, null);
      compared := cardinality(ids);
      steps := steps || agent_memory.step('whole scope', ids, began);
    end if;
  end if;

  began := clock_timestamp();
  if is_explained then
    explained := array(
      select scored.id
      from agent_memory.score_memories(
        org, ids, terms, rarities, query_embedding, embedding_model, valid_at, weight, background) as scored
      where scored.score >= min_score
      order by scored.score desc, scored.id desc limit match_limit);
  end if;
  return query
    select row(m.id, m.content, m.kind, m.user_id, m.agent_id, c.context_key, m.metadata, m.trust,
               m.occurred_at, m.valid_from, m.valid_to, m.created_at,
               s.score, s.semantic, s.lexical, s.recency, s.importance)::public.recalled_memory, s.parts
    from (
      select * from agent_memory.score_memories(
        org, ids, terms, rarities, query_embedding, embedding_model, valid_at, weight, background, explained) as scored
      where scored.score >= min_score
      order by scored.score desc, scored.id desc limit match_limit) as s
    join public.ai_memories as m on m.organization_id = org and m.id = s.id
    left join public.ai_memory_contexts as c on c.organization_id = org and c.id = m.context_id
    order by s.score desc, m.id desc;

  -- For explain(): a setting of the transaction, so that nothing is written.
  perform set_config('pgrecall.last_recall', jsonb_build_object(
    'compared', compared, 'is_exact', is_exact, 'terms', cardinality(terms), 'has_vector', agent_memory.has_vector(),
    'has_meaning', has_meaning, 'valid_at', valid_at, 'token_budget', settings -> 'token_budget',
    'steps', steps || agent_memory.step('scoring', ids, began),
    'without_vector', case when is_explained and has_meaning then cardinality(ids) - (
      select count(*) from agent_memory.similarities(org, embedding_model, query_embedding, ids)) end)::text, true);
end
$$;
comment on function agent_memory.recalled(agent_memory.principal, text, real[], text, text, text, text, text[], jsonb, timestamptz, timestamptz, timestamptz, integer, real, boolean) is
  'What recall_memories(), recall_in_context() and explain_memories() have in common: the hits, best first, and, if explained, the parts of their scores. Leaves in the setting pgrecall.last_recall what was done.';

create or replace function public.recall_memories(
  query text, query_embedding real[] default null, embedding_model text default null,
  agent_id text default null, user_id text default null, context_key text default null,
  kinds text[] default null, metadata jsonb default null, since timestamptz default null,
  until timestamptz default null, as_of timestamptz default null,
  match_limit integer default null, min_score real default 0)
returns setof public.recalled_memory
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select (r.hit).* from agent_memory.recalled(
    agent_memory.require_member('recall'), query, query_embedding, embedding_model, agent_id, user_id, context_key,
    kinds, metadata, since, until, as_of, match_limit, min_score, false) as r;
end
$$;
comment on function public.recall_memories(text, real[], text, text, text, text, text[], jsonb, timestamptz, timestamptz, timestamptz, integer, real) is
  'The memories that answer a question best, best first, of those that the caller may see, that are valid now or at as_of and pass the filters. Works without an embedding, from the text alone. Exact up to agent_memory.exact_limit() memories in scope; above, indexes choose candidates, and never fewer come back than exist. What is not said, match_limit above all, is as effective_settings() have it: a program''s own, else those of the agent that is named. Writes nothing. Raises PM001, PM003, PM005.';

select agent_memory.expose(function::regprocedure, variadic callers)
from (values
  ('agent_memory.recall_weights()', '{}'::text[]),
  ('agent_memory.recall_weights(jsonb)', '{}'),
  ('agent_memory.languages(uuid)', '{}'),
  ('agent_memory.query_terms(text, text[])', '{}'),
  ('agent_memory.in_reach(agent_memory.principal, text, text, text, text[], jsonb, timestamptz, timestamptz, timestamptz, uuid[], integer)', '{}'),
  ('agent_memory.score_memories(uuid, uuid[], tsquery[], real[], real[], text, timestamptz, agent_memory.recall_weights, agent_memory.background, uuid[])', '{}'),
  ('agent_memory.estimated_memories(uuid)', '{}'),
  ('agent_memory.sampled(uuid)', '{}'),
  ('agent_memory.background(uuid, tsquery[], real[], text)', '{}'),
  ('agent_memory.term_counts(uuid, tsquery[], agent_memory.background, integer)', '{}'),
  ('agent_memory.neighbours(uuid, uuid[])', '{}'),
  ('agent_memory.matching(uuid, tsquery[], integer[], integer)', '{}'),
  ('agent_memory.check_embedding(uuid, real[], text)', '{}'),
  ('agent_memory.step(text, uuid[], timestamptz)', '{}'),
  ('agent_memory.recalled(agent_memory.principal, text, real[], text, text, text, text, text[], jsonb, timestamptz, timestamptz, timestamptz, integer, real, boolean)', '{}'),
  ('public.recall_memories(text, real[], text, text, text, text, text[], jsonb, timestamptz, timestamptz, timestamptz, integer, real)', '{authenticated,service_role}')
) as grants (function, callers);

-- What comes next on this connection, which a pooler may give to somebody else, has its own path.
reset search_path;
