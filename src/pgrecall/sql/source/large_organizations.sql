-- Large organizations ------------------------------------------------------------------------

create or replace function agent_memory.sampled(organization_id uuid)
returns uuid[]
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
as $$
#variable_conflict use_column
begin
  return (
    -- Ids begin with 48 bits of time: the next memory after each of 100 moments between the first and the last,
    -- at uneven distances, which no pattern in what is remembered goes with.
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
    cross join generate_series(0, 99) as place
    cross join lateral (
      select m.id from public.ai_memories as m
      where m.organization_id = sampled.organization_id
        and m.id >= rpad(lpad(to_hex(t.first + ((t.last - t.first) * (place + place * 0.618034 % 1) / 100)::bigint), 12, '0'), 32, '0')::uuid
      order by m.id limit 1) as near);
end
$$;
comment on function agent_memory.sampled(uuid) is 'Up to 100 memories of an organization, from all of its time.';

create or replace function agent_memory.share_of_memories(organization_id uuid)
returns double precision
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return (
    select f.share
    from pg_stats as s
    cross join unnest(s.most_common_vals::text::uuid[], s.most_common_freqs) as f (id, share)
    where s.schemaname = 'public' and s.tablename = 'ai_memories' and s.attname = 'organization_id'
      and f.id = share_of_memories.organization_id);
end
$$;
comment on function agent_memory.share_of_memories(uuid) is
  'The share of all memories that an organization has, 0 to 1, from the planner''s statistics; null where they don''t say.';

create or replace function agent_memory.whole_limit(share double precision)
returns double precision
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  -- One by one they take 8 µs each, and asking for more of what mostly doesn't pass 6 ms by its share, as measured
  -- among 100,000 and 1,000,000.
  return agent_memory.exact_limit() + case when share > 0.25 then 0 else 750 / share end;
end
$$;
comment on function agent_memory.whole_limit(double precision) is
  'Up to how many memories are compared one by one, where they are a share of a large organization''s: more of them the smaller it is, since their candidates are the harder to find.';

create or replace function agent_memory.probed(
  reach agent_memory.reach, out sample uuid[], out share double precision, out whole_limit integer)
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  org constant uuid := (reach.caller).organization_id;
  large constant double precision := 2.0 * agent_memory.exact_limit();
  memories double precision := (select c.reltuples from pg_class as c where c.oid = 'public.ai_memories'::regclass);
begin
  whole_limit := agent_memory.exact_limit();
  -- What is of one agent, user or conversation, or has some metadata, is seldom much, and found by an index.
  if memories < large or reach.agent_id is not null or reach.user_id is not null or reach.context_key is not null
     or reach.metadata is not null then
    return;
  end if;
  memories := memories * agent_memory.share_of_memories(org);
  if memories >= large then
    sample := agent_memory.sampled(org);
    share := cardinality(agent_memory.in_reach(reach, sample, null))::double precision / nullif(cardinality(sample), 0);
    if share >= 0.05 then
      whole_limit := agent_memory.whole_limit(share);
    end if;
    if share < 0.05 or share * memories < greatest(large, whole_limit) then
      share := null;
    end if;
  end if;
end
$$;
comment on function agent_memory.probed(agent_memory.reach) is
  'Of a large organization a sample and the share of it that is in reach, where this is a twentieth or more and by far too much to compare; null where it is not, or not known. Beside it up to how many memories are compared one by one.';

-- Candidates of a large scope -----------------------------------------------------------------

create or replace function agent_memory.background(
  organization_id uuid, terms tsquery[], query_embedding real[], model text, sample uuid[])
returns agent_memory.background
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
set cpu_index_tuple_cost = 1
as $$
#variable_conflict use_column
declare
  share constant double precision := agent_memory.share_of_memories(background.organization_id);
  -- The least that a large organization has, where the planner's statistics don't say.
  memories constant double precision := greatest(2.0 * agent_memory.exact_limit(), share * (
    select c.reltuples from pg_class as c where c.oid = 'public.ai_memories'::regclass));
  found double precision[];
  average double precision;
begin
  -- A term that the sample of every 64th memory doesn't have is in about half of what would show there.
  select array_agg(64 * greatest(0.5, s.found) order by t.ordinal) into found
    from unnest(terms) with ordinality as t (term, ordinal)
    cross join lateral (
      select count(*) as found from public.ai_memories as m
      where m.search_vector @@ t.term and uuid_hash(m.id) & 63 = 0
        -- In a form that no index serves, so that it is the sample's that is used.
        and uuid_send(m.organization_id) = uuid_send(background.organization_id)) as s;
  select avg(s.similarity) into average
    from agent_memory.similarities(
      background.organization_id, model, query_embedding, coalesce(sample, agent_memory.sampled(background.organization_id))) as s;
  return row(memories, coalesce(share >= 0.5, false), found, average)::agent_memory.background;
end
$$;
comment on function agent_memory.background(uuid, tsquery[], real[], text, uuid[]) is
  'What a large organization is like beside a question, estimated from samples of its memories, of which one may be at hand.';

create or replace function agent_memory.neighbours(organization_id uuid, ids uuid[], others uuid[])
returns uuid[]
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set cpu_index_tuple_cost = 1
as $$
#variable_conflict use_column
begin
  return (
    with best as materialized (
      select m.id, m.context_id, m.occurred_at from public.ai_memories as m
      where m.organization_id = neighbours.organization_id and m.id = any (ids)
    )
    select coalesce(array_agg(distinct near.id), '{}')
    from (
      select b.id from best as b
      union all
      select n.id from best as b
      cross join lateral (
        (select n.id from public.ai_memories as n
         where n.organization_id = neighbours.organization_id and n.context_id = b.context_id
           and n.occurred_at >= b.occurred_at
         order by n.occurred_at, n.position limit 9)
        union all
        (select n.id from public.ai_memories as n
         where n.organization_id = neighbours.organization_id and n.context_id = b.context_id
           and n.occurred_at < b.occurred_at
         order by n.occurred_at desc, n.position desc limit 8)) as n
      union all
      select n.id from public.ai_memories as n
      where n.organization_id = neighbours.organization_id and n.id = any (others)
        and n.context_id in (select b.context_id from best as b)) as near);
end
$$;
comment on function agent_memory.neighbours(uuid, uuid[], uuid[]) is
  'The named memories with up to 8 before and 8 after each in its conversation, twice as far as a match reaches; and those of the others that are in their conversations.';

create or replace function agent_memory.holding(organization_id uuid, query tsquery, has_most boolean, row_limit integer)
returns table (id uuid, search_vector tsvector)
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
as $$
#variable_conflict use_column
begin
  if has_most then
    -- By the terms alone: to also read in the text index which memories are the organization's takes
    -- about a millisecond for 100,000, and excludes few. No index serves this comparison.
    return query
      select m.id, m.search_vector from public.ai_memories as m
      where m.search_vector @@ query and uuid_send(m.organization_id) = uuid_send(holding.organization_id) limit row_limit;
  else
    return query
      select m.id, m.search_vector from public.ai_memories as m
      where m.search_vector @@ query and m.organization_id = holding.organization_id limit row_limit;
  end if;
  if exists (select from agent_memory.pieces as p where p.organization_id = holding.organization_id) then
    return query
      select m.id, agent_memory.whole_vector(holding.organization_id, m.id, m.search_vector, query)
      from public.ai_memories as m
      where m.organization_id = holding.organization_id and not m.search_vector @@ query and m.id in (
        select p.memory_id from agent_memory.pieces as p
        where p.organization_id = holding.organization_id and p.search_vector @@ query limit row_limit);
  end if;
end
$$;
comment on function agent_memory.holding(uuid, tsquery, boolean, integer) is
  'Memories of an organization that a tsquery matches, by the text index: row_limit at most, and as many more whose further pieces match it; has_most says whether it has most of all memories.';

create or replace function agent_memory.matching(
  organization_id uuid, terms tsquery[], background agent_memory.background, few integer, row_limit integer,
  out ids uuid[], out counts double precision[], out are_counted boolean[], out rarities real[], out are_all boolean)
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
  enough constant integer := 2 * row_limit;
  chosen tsquery;
  are_rare boolean[];
  rows bigint;
begin
  counts := background.found;
  for attempt in 1 .. 2 loop
    with told as (
      select t.*, t.found < enough
               and sum(t.found) over (order by t.found, t.ordinal) - t.found < enough as is_rare
      from unnest(terms, counts) with ordinality as t (term, found, ordinal)
    ), others as (
      select t.term, t.found < 0.3 * background.memories as is_telling, row_number() over (order by t.found, t.ordinal) as place
      from told as t where not t.is_rare
    )
    -- Any of the rarest terms, until they make up enough, or two of the others that are not everywhere.
    -- If that is in few memories, also the rarest of the others alone.
    select (select string_agg(c.query, ' | ')::tsquery
            from (select t.term::text as query from told as t where t.is_rare
                  union all
                  select format('%s & (%s)', o.term, string_agg(n.term::text, ' | '))
                  from others as o join others as n on n.place > o.place and n.is_telling
                  where o.place <= 2 group by o.place, o.term
                  union all
                  select o.term::text from others as o where o.place = 1 and rows < few) as c),
           (select array_agg(t.is_rare order by t.ordinal) from told as t)
      into chosen, are_rare;
    with pool as materialized (
      select m.id, r.ordinal, r.rank
      from agent_memory.holding(matching.organization_id, chosen, background.has_most, 4 * enough) as m
      cross join lateral (
        select t.ordinal, ts_rank('{0,0.2,0.2,1}', m.search_vector, t.term) as rank
        from unnest(terms) with ordinality as t (term, ordinal) offset 0) as r
      where r.rank > 0
    ), counted as (
      select c.*, ln(1 + greatest(0, background.memories - c.found + 0.5) / (c.found + 0.5)) as idf
      from (
        -- All that have a rare term are there; of another one, some. What the sample has seldom is counted.
        select t.ordinal, case
            when t.is_rare then count(p.ordinal)
            when t.found < 4000 then (
              select count(*) from agent_memory.holding(matching.organization_id, t.term, background.has_most, 4000))
            else greatest(t.found, count(p.ordinal)) end as found
        from unnest(terms, counts, are_rare) with ordinality as t (term, found, is_rare, ordinal)
        left join pool as p on p.ordinal = t.ordinal
        group by t.ordinal, t.term, t.found, t.is_rare) as c
    )
    select array(select r.id from (
             select p.id, sum(c.idf * p.rank) as rank from pool as p join counted as c on c.ordinal = p.ordinal
             group by p.id order by 2 desc, p.id desc limit row_limit) as r),
           array(select c.found from counted as c order by c.ordinal),
           array(select c.idf::real from counted as c order by c.ordinal),
           (select count(*) from pool)
      into ids, counts, rarities, rows;
    -- Of rare terms a sample knows little: what was found of them tells which are rarest.
    exit when rows between few and 4 * enough - 1;
  end loop;
  are_counted := array(select r.is_rare and rows < 4 * enough and cardinality(ids) < row_limit from unnest(are_rare) as r (is_rare));
  are_all := coalesce(true = all (are_counted), true);
end
$$;
comment on function agent_memory.matching(uuid, tsquery[], agent_memory.background, integer, integer) is
  'Memories of an organization that have any of the rarest terms, by the text index, those with most of what is rare first, and not too few where there are more; in about how many each term is, counted exactly for some (are_counted) if none of the memories that have them was left out; the idf; and whether these are all memories that have any of the terms, as where all terms are rare.';

create or replace function agent_memory.rarities(
  organization_id uuid, ids uuid[], terms tsquery[], counts double precision[], are_counted boolean[],
  share double precision, memories double precision)
returns real[]
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set cpu_index_tuple_cost = 1
as $$
#variable_conflict use_column
begin
  return (
    with reached as materialized (
      select m.search_vector from public.ai_memories as m
      where m.organization_id = rarities.organization_id and m.id = any (ids)
    ), told as (
      select t.ordinal, case when t.is_counted then (select count(*) from reached as r where r.search_vector @@ t.term)
               else share * t.count end as found
      from unnest(terms, counts, are_counted) with ordinality as t (term, count, is_counted, ordinal)
    )
    select coalesce(array_agg(ln(1 + greatest(0, share * memories - t.found + 0.5) / (t.found + 0.5)) order by t.ordinal), '{}')
    from told as t);
end
$$;
comment on function agent_memory.rarities(uuid, uuid[], tsquery[], double precision[], boolean[], double precision, double precision) is
  'The idf of each term among those of an organization''s memories that pass the filters, a share of all, of which the named ones are candidates: counted among these where they are all that have the term.';

create or replace function agent_memory.wishing(organization_id uuid, wishes tsquery, row_limit integer)
returns setof uuid
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
as $$
#variable_conflict use_column
begin
  return query
  select m.id from public.ai_memories as m
  where m.organization_id = wishing.organization_id and m.search_vector @@ wishes
  limit row_limit;
end
$$;
comment on function agent_memory.wishing(uuid, tsquery, integer) is 'Memories of an organization that have a word of standing wishes, by the text index.';

create or replace function agent_memory.first_of(ids uuid[], among uuid[], row_limit integer)
returns uuid[]
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
set enable_nestloop = off
as $$
#variable_conflict use_column
begin
  return array(
    select f.id from unnest(ids) with ordinality as f (id, place)
    join unnest(among) as a (id) on a.id = f.id
    order by f.place limit row_limit);
end
$$;
comment on function agent_memory.first_of(uuid[], uuid[], integer) is 'The first of some ids that are among others, in their order.';

create or replace function agent_memory.candidates(
  reach agent_memory.reach, query text, terms tsquery[], query_embedding real[], model text,
  settings jsonb, match_limit integer, sample uuid[], expected double precision,
  out ids uuid[], out background agent_memory.background, out rarities real[], out cues agent_memory.query_cues,
  out compared integer, out is_exact boolean, out steps jsonb)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  org constant uuid := (reach.caller).organization_id;
  has_meaning constant boolean := query_embedding is not null;
  -- The share of the candidates that is in reach: as they are asked for, and as it is.
  asked double precision := case when expected <= 0.25 then expected else 1 end;
  share double precision;
  memories double precision;
  word_limit integer;
  meaning_limit integer;
  scored_limit integer;
  found uuid[];
  by_words uuid[];
  by_meaning uuid[];
  by_score uuid[];
  are_all boolean;
  are_few boolean := false;
  counts double precision[];
  are_counted boolean[];
  alone jsonb;
  began timestamptz := clock_timestamp();
begin
  steps := '[]';
  background := agent_memory.background(org, terms, query_embedding, model, sample);
  for attempt in 1 .. 2 loop
    -- The more memories, the more are about as near or have as much of the words, and the best of all
    -- need not be the first by either. Where few pass the filters, the more are asked for; and twice as many
    -- by words, since what has the question's words may pass less often than the others.
    memories := asked * background.memories;
    word_limit := least(10000, least(2000, greatest(
      case when has_meaning then 500 else 1500 end * case when asked < 1 then 2 else 1 end, memories / 400)) / asked);
    meaning_limit := least(2500, least(1000, greatest(200, memories / 1000)) / asked);
    scored_limit := greatest(case when has_meaning then 500 else 600 end, least(1200, memories / 800), match_limit);
    select m.ids, m.counts, m.are_counted, m.rarities, m.are_all into by_words, counts, are_counted, rarities, are_all
      from agent_memory.matching(org, terms, background, (200 / asked)::integer, word_limit) as m;
    steps := steps || agent_memory.step('words', by_words, began);
    began := clock_timestamp();
    by_meaning := array(
      select n.memory_id from agent_memory.nearest(org, model, query_embedding, meaning_limit) as n where has_meaning);
    steps := steps || agent_memory.step('meaning', by_meaning, began);
    began := clock_timestamp();
    found := array(select unnest(by_words) union select unnest(by_meaning));
    ids := agent_memory.in_reach(reach, found, null);
    -- Of what passes, the best by either.
    by_words := agent_memory.first_of(by_words, ids, scored_limit);
    by_meaning := agent_memory.first_of(by_meaning, ids, scored_limit);
    steps := steps || agent_memory.step('filters', ids, began);
    began := clock_timestamp();
    are_all := are_all and not has_meaning;
    share := greatest(0.001, cardinality(ids)::double precision / greatest(1, cardinality(found)));
    exit when are_all or share > 0.25 * asked or attempt = 2;
    are_few := share * background.memories < agent_memory.whole_limit(share);
    exit when are_few;
    asked := share;
  end loop;

  if share < 0.5 then
    rarities := agent_memory.rarities(org, ids, terms, counts, are_counted, share, background.memories);
  end if;
  ids := array(select unnest(by_words) union select unnest(by_meaning));
  cues := agent_memory.query_cues(query, reach.valid_at, org, ids);
  if cues.wishes is not null then
    ids := array(select unnest(ids) union select unnest(agent_memory.in_reach(
      reach, array(select agent_memory.wishing(org, cues.wishes, scored_limit)), null)));
  end if;
  -- Of one user; of all there are more at any time than are scored.
  if cues.starts_at is not null and reach.user_id is not null then
    ids := array(select unnest(ids) union select unnest(agent_memory.in_reach(
      row(reach.caller, reach.agent_id, reach.user_id, reach.context_key, reach.kinds, reach.metadata,
          greatest(reach.since, cues.starts_at), least(reach.until, cues.ends_at), reach.valid_at)::agent_memory.reach,
      null, scored_limit)));
  end if;
  steps := steps || agent_memory.step('cues', ids, began);
  began := clock_timestamp();
  compared := cardinality(ids);
  is_exact := are_few or not (are_all or compared >= greatest(match_limit, 100));
  if is_exact then
    -- The filters leave too few of the candidates.
    background := null;
    rarities := null;
    ids := agent_memory.in_reach(reach, null, null);
    compared := cardinality(ids);
    steps := steps || agent_memory.step('whole scope', ids, began);
    return;
  end if;
  -- Of a memory alone, its nearness to the question is all that there is of near_meaning.
  alone := settings || jsonb_build_object('weights', settings -> 'weights' || jsonb_build_object(
    'meaning', (settings #>> '{weights,meaning}')::numeric + (settings #>> '{weights,near_meaning}')::numeric, 'near_meaning', 0));
  by_score := array(
    select s.id from agent_memory.score_memories(
      org, ids, terms, rarities, query_embedding, model, cues, reach.valid_at, alone, background, false,
      greatest(case when has_meaning then 200 else 400 end, match_limit), 0, false) as s);
  -- The best of them once more, with what stands around them, and what is near in their conversations.
  ids := agent_memory.in_reach(
    reach, agent_memory.neighbours(org, by_score || by_words[:100] || by_meaning[:50], by_meaning), null);
  if are_all and cardinality(ids) < 2 * match_limit then
    -- What has nothing of the question makes up the number.
    ids := array(select unnest(ids) union select unnest(agent_memory.in_reach(reach, null, 2 * match_limit)));
  end if;
  steps := steps || agent_memory.step('conversations', ids, began);
end
$$;
comment on function agent_memory.candidates(agent_memory.reach, text, tsquery[], real[], text, jsonb, integer, uuid[], double precision) is
  'The memories of a large scope that are worth scoring, with what stands around them; or all of it, where that takes no longer or too few pass the filters (is_exact). A sample of the organization, and the share of it that passes, may be known before. With what score_memories() is told beside them, how many were compared at most, and the steps for an explanation.';
