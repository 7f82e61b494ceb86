-- Signals ------------------------------------------------------------------------------------

select agent_memory.define_type('background', 'memories double precision, has_most boolean, found double precision[], mean double precision');
comment on type agent_memory.background is
  'What a large organization is like, estimated: how many memories it has, whether these are most of all that there are, in about how many of them each term is, the mean similarity to the question.';

select agent_memory.define_type('query_cues', 'starts_at timestamptz, ends_at timestamptz, wishes tsquery, asks_when boolean, asks_latest boolean');
comment on type agent_memory.query_cues is
  'What a question''s wording asks for: the time that it names, ends_at exclusive; where it asks for help, the words that a standing wish has, else null; whether it asks when, and whether for the latest.';

-- What the question asks for -----------------------------------------------------------------
--
-- The vocabulary is English, and all of it stands in these two functions and in ai_memories.names_time. A question in another
-- language has none of these cues, which leaves the other signals as they are.

create or replace function agent_memory.named_time(
  query text, reference timestamptz, organization_id uuid, ids uuid[], out starts_at timestamptz, out ends_at timestamptz)
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  asked constant text := lower(left(query, 1000));
  months constant text[] := '{january,february,march,april,may,june,july,august,september,october,november,december}';
  weekdays constant text[] := '{monday,tuesday,wednesday,thursday,friday,saturday,sunday}';
  numbers constant jsonb := '{"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6,
                              "seven": 7, "eight": 8, "nine": 9, "ten": 10, "couple of": 2, "few": 3}';
  any_year integer;
  newest timestamptz;
  found text[];
  month integer;
  day integer;
  year integer;
  first timestamptz;
  unit interval;
begin
  -- Nearly every question ends here.
  if asked !~ '\m(?:(?:19|20)\d\d|january|february|march|april|may|june|july|august|september|october|november|december|ago|last|past|previous|yesterday)\M' then
    return;
  end if;
  any_year := substring(asked from '\m(?:19|20)\d\d\M')::integer;
  -- "8 May 2023", "May 8th", "in May": from the first to the last where there are several.
  for found in
    select regexp_matches(asked,
      '(?:\m(\d{1,2})(?:st|nd|rd|th)?(?: of)? )?\m(' || array_to_string(months, '|') || ')\M(?: (\d{1,2})(?:st|nd|rd|th)?\M)?(?:,? ((?:19|20)\d\d)\M)?', 'g')
  loop
    day := coalesce(found[1], found[3])::integer;
    -- "may" alone is a verb, and "march" may be one.
    continue when found[2] in ('may', 'march') and day is null and found[4] is null
      and asked !~ ('\m(?:in|on|of|during|since|until|early|late|mid|by|this|last|and|from|before|after) ' || found[2] || '\M');
    month := array_position(months, found[2]);
    year := coalesce(found[4]::integer, any_year);
    if year is null then
      -- The latest such month that there is a memory of.
      newest := coalesce(newest, (
        select least(reference, max(m.occurred_at)) from public.ai_memories as m
        where m.organization_id = named_time.organization_id and m.id = any (ids)), reference);
      year := date_part('year', newest at time zone 'UTC');
      year := year - case when make_timestamptz(year, month, 1, 0, 0, 0, 'UTC') > newest then 1 else 0 end;
    end if;
    first := make_timestamptz(year, month, 1, 0, 0, 0, 'UTC') + (coalesce(day, 1) - 1) * interval '1 day';
    starts_at := least(starts_at, first);
    ends_at := greatest(ends_at, first + case when day is null then interval '1 month' else interval '1 day' end);
  end loop;
  if starts_at is not null then
    return;
  elsif any_year is not null then
    month := case substring(asked from '\m(?:spring|summer|fall|autumn|winter)\M')
      when 'spring' then 3 when 'summer' then 6 when 'fall' then 9 when 'autumn' then 9 when 'winter' then 12 end;
    starts_at := make_timestamptz(any_year, coalesce(month, 1), 1, 0, 0, 0, 'UTC');
    ends_at := starts_at + case when month is null then interval '1 year' else interval '3 months' end;
    return;
  end if;
  -- Relative to the asker's time, and about as exact as people are.
  found := regexp_match(asked, '\m(an?|one|two|three|four|five|six|seven|eight|nine|ten|couple of|few|\d{1,3}) (day|week|month|year)s? ago\M');
  if found is not null then
    unit := ('1 ' || found[2])::interval;
    starts_at := reference - coalesce((numbers ->> found[1])::integer, found[1]::integer) * unit - unit / 2;
    ends_at := starts_at + unit;
    return;
  end if;
  found := regexp_match(asked, '\m(?:last|past) (two|three|four|five|six|few|couple of|\d{1,3}) (day|week|month|year)s?\M');
  if found is not null then
    starts_at := reference - (coalesce((numbers ->> found[1])::integer, found[1]::integer) + 0.3) * ('1 ' || found[2])::interval;
    ends_at := reference;
    return;
  end if;
  found := regexp_match(asked, '\m(?:last|past|previous) (week|weekend|month|year|' || array_to_string(weekdays, '|') || ')\M');
  if found[1] = any (weekdays) then
    first := date_trunc('day', reference at time zone 'UTC') at time zone 'UTC';
    -- One to seven days back, and the day before that.
    starts_at := first - (2 + (6 + date_part('isodow', reference at time zone 'UTC')::integer - array_position(weekdays, found[1])) % 7) * interval '1 day';
    ends_at := starts_at + interval '2 days';
  elsif found is not null then
    starts_at := reference - 1.5 * ('1 ' || replace(found[1], 'weekend', 'week'))::interval;
    ends_at := reference;
  elsif asked ~ '\myesterday\M' then
    starts_at := reference - interval '2 days';
    ends_at := reference;
  end if;
end
$$;
comment on function agent_memory.named_time(text, timestamptz, uuid, uuid[]) is
  'The time that a question in English names, ends_at exclusive, in UTC: "on 8 May 2023", "in June", "summer 2022", "two weeks ago". Relative to reference; a month without a year is the latest one up to the newest of the named memories. Null if it names none.';

create or replace function agent_memory.query_cues(query text, reference timestamptz, organization_id uuid, ids uuid[])
returns agent_memory.query_cues
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  asked constant text := lower(left(query, 1000));
  starts_at timestamptz;
  ends_at timestamptz;
  wishes tsquery;
begin
  select t.starts_at, t.ends_at into starts_at, ends_at
    from agent_memory.named_time(query, reference, organization_id, ids) as t;
  if asked ~ '\m(?:(?:can|could|would|will) you\M|should i\M|how (?:do|can|should|would) i\M|suggest|recommend|tips\M|advice\M|help me\M|do you think\M|what are (?:some|good)|ideas\M|i can use\M|do i need\M)' then
    -- Of "always", "prefer", "preferred", "preference" by the English stemmer.
    wishes := '''alway'':A | ''prefer'':A';
  end if;
  return row(starts_at, ends_at, wishes,
             asked ~ '^\W*(?:(?:since )?when|what (?:day|date|month|year|time)|how long|(?:in|on) (?:which|what) (?:day|date|month|year))\M',
             asked ~ '\m(?:recent(?:ly)?|latest|last|current(?:ly)?|now)\M')::agent_memory.query_cues;
end
$$;
comment on function agent_memory.query_cues(text, timestamptz, uuid, uuid[]) is
  'What the wording of a question in English asks for; the named memories tell the year of a month that is named without one.';

-- Scoring -------------------------------------------------------------------------------------

create or replace function agent_memory.score_memories(
  organization_id uuid, ids uuid[], terms tsquery[], rarities real[], query_embedding real[], model text,
  cues agent_memory.query_cues, reference timestamptz, settings jsonb, background agent_memory.background,
  are_neighbours boolean, row_limit integer, min_score real, is_explained boolean)
returns table (id uuid, score real, semantic real, lexical real, recency real, importance real, parts jsonb)
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
set enable_nestloop = off
-- Planned without knowing how many ids there are, it would read all that an organization has in an index for them.
set cpu_index_tuple_cost = 1
as $$
#variable_conflict use_column
declare
  -- Read once, and as double precision: a field of a document is looked up again for every row, and with
  -- numeric literals the same arithmetic takes three times as long. What does not run for this question
  -- weighs nothing.
  weights constant jsonb := settings -> 'weights';
  /* @signal-weights */
  lexical_total constant double precision := greatest(1e-6, words_weight + window_words_weight);
  -- All of them may be set to 0.
  total constant double precision := greatest(1e-6, /* @signal-total */ 0);
  none constant double precision := 0;
  one constant double precision := 1;
  half constant double precision := 0.5;
  beside_share constant double precision := 0.9;
  opening_share constant double precision := 0.75;
  asked_at constant double precision := date_part('epoch', reference);
  half_life constant double precision := 86400 * (settings ->> 'half_life')::double precision;
  date_half_life constant double precision := date_part('epoch', interval '5 days');
  compared constant double precision := cardinality(ids);
  day constant double precision := 86400;
  -- The idf of a term in three tenths of all: neighbours of what has it mostly have it themselves.
  frequent constant double precision := ln(10.0 / 3);
  -- A power of a half that underflowed would be an error.
  most constant double precision := 100;
  starts_at constant timestamptz := cues.starts_at;
  ends_at constant timestamptz := cues.ends_at;
  wishes constant tsquery := cues.wishes;
  -- How much of a match reaches a memory that stands so many places after it, or before it where
  -- negative. Among candidates alone, those that follow one another need not be neighbours.
  distances constant integer[] := case when are_neighbours then '{0,1,2,3,4,-1,-2,-3}' else '{0}' end;
  shares constant double precision[] := case when are_neighbours then '{1,.8,.6,.45,.35,.7,.5,.35}' else '{1}' end;
  any_term constant tsquery := (select string_agg(t::text, ' | ')::tsquery from unnest(terms) as t);
  -- A speaker's name has weight B.
  any_name constant tsquery := (
    select string_agg(t::text || case when right(t::text, 1) = '*' then 'B' else ':B' end, ' | ')::tsquery from unnest(terms) as t);
begin
  return query
  with told as materialized (
    -- All signals of the memory alone are one number, and the text index is not read again: what a step
    -- hands to the next one costs more than the arithmetic.
    select m.id, case when m.is_long
             then agent_memory.whole_vector(score_memories.organization_id, m.id, m.search_vector, any_term)
             else m.search_vector end as search_vector,
           m.occurred_at, m.position, m.has_question, e.similarity::double precision as similarity,
           -- A number each, so far apart that no match reaches another conversation. A memory outside
           -- any counts as a conversation of its own.
           uuid_hash_extended(coalesce(m.context_id, m.id), 0) & x'3fffffffffff0000'::bigint as conversation,
           uuid_hash_extended(coalesce(m.context_id, m.id), floor(date_part('epoch', m.occurred_at) / day)::bigint) as sitting,
           -- An opening that has nothing to do with the question is a greeting; and what was derived
           -- from a conversation opens none.
           case when m.is_opening then case when m.context_id is null or m.kind = 'message' then opening_share else none end end as opening,
           /* @signals-of-memory */ 0 as alone
    from public.ai_memories as m
    left join agent_memory.similarities(score_memories.organization_id, model, query_embedding, ids) as e
      on e.memory_id = m.id
    where m.organization_id = score_memories.organization_id and m.id = any (ids)
  ), scope as materialized (
    select t.id, t.similarity, t.sitting, t.opening, t.alone, t.conversation + row_number() over talk as place,
           coalesce(lag(t.has_question) over talk, false) as answers,
           greatest(lag(t.similarity) over talk, lead(t.similarity) over talk) as beside
    from told as t
    window talk as (partition by t.conversation order by t.occurred_at, t.position)
  ), likeness as materialized (
    -- From the mean of all to the best: the lowest is a matter of chance, and of how many there are.
    select coalesce(background.mean, avg(s.similarity)) as mean,
           nullif(greatest(none, max(s.similarity) - coalesce(background.mean, avg(s.similarity))), 0) as breadth
    from scope as s
  ), sittings as materialized (
    select c.sitting, avg(c.similarity) as similarity, avg(greatest(none, (c.similarity - l.mean) / l.breadth)) as meaning
    from (
      select s.sitting, s.similarity, row_number() over (partition by s.sitting order by s.similarity desc nulls last) as nth
      from scope as s) as c
    cross join likeness as l
    where c.nth <= 3
    group by c.sitting
  ), matches as materialized (
    select s.place, m.ordinal, m.own, m.before
    from (
      select m.id, t.ordinal,
             ts_rank('{0,0,0,1}', m.search_vector, t.term)::double precision as own,
             ts_rank('{0,1,0,0}', m.search_vector, t.term)::double precision as before
      from told as m
      cross join lateral (
        select * from unnest(terms) with ordinality as t (term, ordinal)
        where m.search_vector @@ t.term offset 0) as t
      where m.search_vector @@ any_term offset 0) as m
    join scope as s on s.id = m.id
  ), weighed as materialized (
    select m.place, m.ordinal, m.own * r.idf as own, (one - (one - m.own) * (one - half * m.before)) * r.idf as windowed,
           r.idf > frequent or r.found < 20 as is_spread
    from matches as m
    join (
      select m.ordinal, count(*) as found,
             coalesce(rarities[m.ordinal], ln(one + (compared - count(*) + half) / (count(*) + half))) as idf
      from matches as m group by m.ordinal) as r on r.ordinal = m.ordinal
  ), texts as materialized (
    select t.place, sum(t.words) as words, sum(t.windowed) as windowed
    from (
      select w.place + n.distance as place, max(n.share * w.own) as words, none as windowed
      from weighed as w
      cross join unnest(distances, shares) as n (distance, share)
      where w.is_spread and w.own > none
      group by w.place + n.distance, w.ordinal
      union all
      select w.place, case when w.is_spread then none else w.own end, w.windowed from weighed as w) as t
    group by t.place
  ), best as materialized (
    -- Beyond the ends of a conversation, where no memory stands, there is no more than at its ends.
    select l.mean, l.breadth, t.words, t.windowed, c.meaning
    from likeness as l
    cross join (select nullif(max(t.words), 0) as words, nullif(max(t.windowed), 0) as windowed from texts as t) as t
    cross join (select nullif(max(c.meaning), 0) as meaning from sittings as c) as c
  ), scaled as not materialized (
    select s.id, s.alone, s.answers, s.similarity, c.similarity as context_similarity, greatest(s.similarity, s.beside) as near_similarity,
           coalesce(t.words, none) as raw_words, coalesce(t.windowed, none) as raw_window_words,
           coalesce(t.words / b.words, none) as words, coalesce(t.windowed / b.windowed, none) as window_words,
           greatest(none, (s.similarity - b.mean) / b.breadth) as meaning,
           greatest(none, (s.similarity - b.mean) / b.breadth, beside_share * (s.beside - b.mean) / b.breadth) as near_meaning,
           coalesce(c.meaning / b.meaning, none) as context_meaning,
           case when s.opening is null then none
             else greatest(coalesce(t.words / b.words, none), s.opening * (s.similarity - b.mean) / b.breadth) end as opening
    from scope as s
    cross join best as b
    join sittings as c on c.sitting = s.sitting
    left join texts as t on t.place = s.place
  ), hits as (
    select f.*
    from (
      select s.id, s.similarity, (words_weight * s.words + window_words_weight * s.window_words) / lexical_total as lexical,
             ((s.alone + /* @signals-of-recall */ 0) / total)::real as score
      from scaled as s offset 0) as f
    where f.score >= min_score
    order by f.score desc, f.id desc limit row_limit
  )
  select h.id, h.score, h.similarity::real, h.lexical::real,
    power(half, least(most, greatest(none, (asked_at - date_part('epoch', m.occurred_at)) / half_life)))::real, m.importance,
    -- The sum above once more, part by part: (name, raw, scaled, weight, whether it runs).
    case when is_explained then (
      select jsonb_object_agg(p.name, jsonb_build_object(
        'raw', round(p.raw::numeric, 6), 'scaled', round(p.scaled::numeric, 6), 'weight', p.weight::real,
        'contribution', round((p.weight * p.scaled / total)::numeric, 6)))
      from scaled as s
      cross join lateral (values
        /* @signal-parts */ (null, null, 0, 0, false)
      ) as p (name, raw, scaled, weight, runs)
      where s.id = h.id and p.runs) end
  from hits as h
  -- One by one, by their key: there are few of them.
  cross join lateral (
    select o.* from public.ai_memories as o
    where o.organization_id = score_memories.organization_id and o.id = h.id offset 0) as m;
end
$$;
comment on function agent_memory.score_memories(uuid, uuid[], tsquery[], real[], real[], text, agent_memory.query_cues, timestamptz, jsonb, agent_memory.background, boolean, integer, real, boolean) is
  'The best row_limit of the named memories for one question, in no order, by every signal (signals.toml), weighted by settings and fused; are_neighbours says that those that follow one another in a conversation are. Where they are candidates out of many, rarities holds the terms'' idf and background what all are like, so that they score as they would among all; else both are null. parts, if explained, is what explain_memories() gives; its contributions add up to the score.';
