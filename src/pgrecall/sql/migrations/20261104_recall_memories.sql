-- pgrecall: recall.
--
--   recall_memories(...), and recalled(), which does it and notes the steps for an explanation
--     |- query_terms()      the question's lexemes
--     |- query_cues()       what its wording asks for: a time, help, what is recent
--     |- probed()           of a large organization, how much of it that is
--     |- in_reach()         what the caller may see and asks about: the scope
--     |- candidates()       of a scope too large to compare one by one, the promising ones
--     |    |- background()     what all memories are like beside the question
--     |    |- matching(), nearest()   by the indexes of words and of vectors
--     |    `- neighbours()     what stands around the best
--     `- score_memories()   every signal of every memory in one statement, fused by recall_weights()
--
-- Signals, each scaled to 0..1 within one recall, then weighted and added (fusion of scores; it
-- beat fusion of ranks by .14 in recall@10 when this was designed, see docs/recall.md):
--   words            sum over the question's lexemes of idf * how much the memory, or whichever of
--                    those around it in its conversation has most, is about it, by the best. For
--                    one lexeme ts_rank saturates with its frequency, as BM25 does; a neighbour's
--                    counts by its distance; idf = ln(1 + (N - df + 0.5) / (df + 0.5)), counted in
--                    the statement.
--   window_words     the same of its own words, and at half their weight of the words of the three
--                    messages before it together
--   meaning          cosine similarity, from the mean of all to the best
--   near_meaning     the best meaning of it and, at nine tenths, of the messages before and after it
--   context_meaning  the mean meaning of the three best of its conversation that day (UTC), by the best
--                    day's; of a conversation of months, some three would be near to anything
--   date             1 where it was said in the time that the question names, less around it
--   speaker          1 where the question names who said it
--   user_words       1 for what the user said themselves
--   wish             1 for a standing wish ("always ...", "I prefer ..."), where help is asked for
--   help             meaning, again, where help is asked for: it shares its topic, not its words
--   time_words       1 for what names a time ("yesterday", "in May"), where it is asked when
--   opening          words or three quarters of meaning, whichever is more, again, for the first of
--                    its conversation, and outside of any
--   answer           1 where the message before it asks something
--   statement        1 where it is not itself a question
--   digits           1 where it has any: figures are facts
--   recency          0.5 ^ (age / half-life)
--   latest           the same, where the question asks for the latest
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
  if pg_catalog.to_regtype('agent_memory.reach') is null then
    create type agent_memory.reach as (
      caller agent_memory.principal, agent_id text, user_id text, context_key text, kinds text[], metadata jsonb,
      since timestamptz, until timestamptz, valid_at timestamptz);
  end if;
  if pg_catalog.to_regtype('agent_memory.background') is null then
    create type agent_memory.background as (
      memories double precision, has_most boolean, found double precision[], mean double precision);
  end if;
  if pg_catalog.to_regtype('agent_memory.recall_weights') is null then
    create type agent_memory.recall_weights as (
      words real, window_words real, meaning real, near_meaning real, context_meaning real, date real,
      speaker real, user_words real, wish real, help real, time_words real, opening real, answer real,
      statement real, digits real, recency real, latest real, importance real, half_life interval,
      distances integer[], shares double precision[]);
  end if;
  if pg_catalog.to_regtype('agent_memory.query_cues') is null then
    create type agent_memory.query_cues as (
      starts_at timestamptz, ends_at timestamptz, wishes tsquery, asks_when boolean, asks_latest boolean);
  end if;
end
$types$;
comment on type agent_memory.reach is
  'Whose recall it is, the filters, null where there is none, and the time at which a memory is to be valid: together they say which memories are in scope.';
comment on type agent_memory.background is
  'What a large organization is like, estimated: how many memories it has, whether these are most of all that there are, in about how many of them each term is, the mean similarity to the question.';
comment on type agent_memory.recall_weights is
  'What each signal counts for; the half-life of recency; and how much of a match reaches a memory (shares) that stands so many places after it, or before it where negative (distances).';
comment on type agent_memory.query_cues is
  'What a question''s wording asks for: the time that it names, ends_at exclusive; where it asks for help, the words that a standing wish has, else null; whether it asks when, and whether for the latest.';
comment on type public.recalled_memory is
  'One hit. score: 0 to about 1, comparable within one recall. Its parts: semantic, the cosine similarity, -1 to 1, null without one; lexical, 0 to 1, by the best match of this recall; recency, 0 to 1; importance, 0 to 1.';

create or replace function agent_memory.recall_weights()
returns agent_memory.recall_weights
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select row(
    -- words, window_words, meaning, near_meaning, context_meaning, date
    3.1, 1.8, .5, 2.0, 1.9, 4.7,
    -- speaker, user_words, wish, help, time_words
    3.0, 4.5, 3.8, 2.6, 1.8,
    -- opening, answer, statement, digits
    2.2, .8, .8, .6,
    -- recency, latest, importance
    .1, 1.0, .4,
    interval '30 days',
    array[0, 1, 2, 3, 4, -1, -2, -3],
    array[1, .8, .6, .45, .35, .7, .5, .35])::agent_memory.recall_weights
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
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return array(
    select 'english'
    union
    select l.language from public.agent_memory_config as c, unnest(c.languages) as l (language)
    where c.organization_id = languages.organization_id);
end
$$;
comment on function agent_memory.languages(uuid) is 'The languages that an organization remembers in, and english, which needs no note.';

create or replace function agent_memory.query_terms(query text, languages text[])
returns table (lexeme text, term tsquery)
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  asked constant text := left(query, 4000);
  language text;
  found text[];
begin
  if cardinality(languages) = 1 then
    found := tsvector_to_array(agent_memory.lexemes(languages[1], asked));
  else
    -- A stop word of the question's language is none in another, where it would be rare and so count much.
    language := agent_memory.detected_language(query);
    found := array(
      select distinct l.lexeme
      from unnest(languages) as spoken (language)
      cross join unnest(tsvector_to_array(agent_memory.lexemes(spoken.language, asked))) as l (lexeme)
      where language is null or agent_memory.lexemes(language, l.lexeme) <> '');
  end if;
  return query
    select l.lexeme, ('''' || replace(replace(l.lexeme, '\', '\\'), '''', '''''') || '''')::tsquery
    from unnest(found) as l (lexeme)
    order by length(l.lexeme) desc, l.lexeme
    limit 64;
end
$$;
comment on function agent_memory.query_terms(text, text[]) is
  'The lexemes of a question in each of some languages, each as a tsquery of its own: at most 64, of its first 4,000 characters.';

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

-- The scope -----------------------------------------------------------------------------------

create or replace function agent_memory.in_part(reach agent_memory.reach, part text, among uuid[], row_limit integer)
returns uuid[]
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
-- Before PostgreSQL 18 a kind of plan that is off, and used all the same, costs so much that it would be compiled.
set jit = off
set enable_seqscan = off
-- A bitmap would hold all that an organization has before the first row comes back.
set enable_bitmapscan = off
as $$
#variable_conflict use_variable
declare
  caller constant agent_memory.principal := reach.caller;
  -- Known before the scope is planned, so that the conversation's own index serves.
  contexts constant uuid[] := case when reach.context_key is not null then array(
    select c.id from public.ai_memory_contexts as c
    where c.organization_id = caller.organization_id and c.context_key = reach.context_key) end;
begin
  return array(
    select m.id
    from public.ai_memories as m
    where m.organization_id = caller.organization_id
      and agent_memory.may_read(m.visibility, m.user_id, m.agent_id, caller.person, caller.program)
      and m.forgotten_at is null
      and m.valid_from <= reach.valid_at and (m.valid_to is null or m.valid_to > reach.valid_at)
      and (m.expires_at is null or m.expires_at > reach.valid_at)
      and case part
        when 'own' then m.agent_id = caller.program
        when 'shared' then m.visibility = 'organization' and m.agent_id <> caller.program
        else true end
      and (among is null or m.id = any (among))
      and (reach.agent_id is null or m.agent_id = reach.agent_id)
      and (reach.user_id is null or m.user_id = reach.user_id)
      and (contexts is null or m.context_id = any (contexts))
      and (reach.kinds is null or m.kind = any (reach.kinds))
      and (reach.metadata is null or m.metadata @> reach.metadata)
      and (reach.since is null or m.occurred_at >= reach.since)
      and (reach.until is null or m.occurred_at < reach.until)
    limit row_limit);
end
$$;
comment on function agent_memory.in_part(agent_memory.reach, text, uuid[], integer) is
  'The memories that are in reach, of the named ones if any are named, at most row_limit of them; of a program also what its own agent holds (own) or what other agents share with all (shared) alone. Planned anew each time, so that filters that are absent cost nothing.';

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

create or replace function agent_memory.is_frequent(organization_id uuid, metadata jsonb)
returns boolean
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
as $$
#variable_conflict use_column
begin
  return (
    select count(*) > 10 from public.ai_memories as m
    where m.organization_id = is_frequent.organization_id and m.metadata @> is_frequent.metadata
      and m.id = any (agent_memory.sampled(is_frequent.organization_id)));
end
$$;
comment on function agent_memory.is_frequent(uuid, jsonb) is
  'Whether more than about a tenth of an organization''s memories have some metadata, by a sample.';

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

create or replace function agent_memory.tagged(organization_id uuid, metadata jsonb, row_limit bigint)
returns uuid[]
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set jit = off
set enable_seqscan = off
set enable_indexscan = off
as $$
#variable_conflict use_column
begin
  return array(
    select m.id from public.ai_memories as m
    where m.organization_id = tagged.organization_id and m.metadata @> tagged.metadata and m.metadata <> '{}'
    limit row_limit);
end
$$;
comment on function agent_memory.tagged(uuid, jsonb, bigint) is
  'Memories of an organization that have some metadata, by the index of metadata, which gives none before it has found all.';

create or replace function agent_memory.in_reach(reach agent_memory.reach, among uuid[], row_limit integer)
returns uuid[]
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  caller constant agent_memory.principal := reach.caller;
  -- Among fewer memories it takes longer to choose an index than to read them.
  many constant double precision := 10.0 * agent_memory.exact_limit();
  memories constant double precision := case when among is null then (
    select c.reltuples from pg_class as c where c.oid = 'public.ai_memories'::regclass) else 0 end;
  tagged_limit constant bigint := 4::bigint * row_limit;
  is_cut boolean := false;
  ids uuid[];
begin
  if memories > many and reach.metadata <> '{}'
     and agent_memory.share_of_memories(caller.organization_id) * memories > many
     and not agent_memory.is_frequent(caller.organization_id, reach.metadata) then
    among := agent_memory.tagged(caller.organization_id, reach.metadata, tagged_limit);
    is_cut := coalesce(cardinality(among) = tagged_limit, false);
  end if;
  if memories > many and caller.person is null and reach.agent_id is null then
    ids := agent_memory.in_part(reach, 'own', among, row_limit);
    if row_limit is null or cardinality(ids) < row_limit then
      ids := ids || agent_memory.in_part(reach, 'shared', among, row_limit - cardinality(ids));
    end if;
  else
    ids := agent_memory.in_part(reach, null, among, row_limit);
  end if;
  if is_cut and cardinality(ids) < row_limit then
    ids := agent_memory.in_part(reach, null, null, row_limit);
  end if;
  return ids;
end
$$;
comment on function agent_memory.in_reach(agent_memory.reach, uuid[], integer) is
  'The memories that a caller may see, that are valid at a time and pass the filters, of the named ones if any are named; at most row_limit of them.';

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

-- Scoring -------------------------------------------------------------------------------------

create or replace function agent_memory.score_memories(
  organization_id uuid, ids uuid[], terms tsquery[], rarities real[], query_embedding real[], model text,
  cues agent_memory.query_cues, reference timestamptz, weight agent_memory.recall_weights,
  background agent_memory.background, row_limit integer, min_score real, is_explained boolean)
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
  -- Read once, and as double precision: a field of a composite is looked up again for every row, and with
  -- numeric literals the same arithmetic takes three times as long. What does not run for this question
  -- weighs nothing.
  words_weight constant double precision := weight.words;
  window_weight constant double precision := weight.window_words;
  speaker_weight constant double precision := weight.speaker;
  user_weight constant double precision := weight.user_words;
  opening_weight constant double precision := weight.opening;
  answer_weight constant double precision := weight.answer;
  statement_weight constant double precision := weight.statement;
  digits_weight constant double precision := weight.digits;
  importance_weight constant double precision := weight.importance;
  meaning_weight constant double precision := case when query_embedding is null then 0 else weight.meaning end;
  near_weight constant double precision := case when query_embedding is null then 0 else weight.near_meaning end;
  context_weight constant double precision := case when query_embedding is null then 0 else weight.context_meaning end;
  date_weight constant double precision := case when cues.starts_at is null then 0 else weight.date end;
  wish_weight constant double precision := case when cues.wishes is null then 0 else weight.wish end;
  help_weight constant double precision := case when cues.wishes is null or query_embedding is null then 0 else weight.help end;
  times_weight constant double precision := case when cues.asks_when then weight.time_words else 0 end;
  latest_weight constant double precision := case when cues.asks_latest then weight.latest else 0 end;
  recency_weight constant double precision := weight.recency + latest_weight;
  lexical_total constant double precision := greatest(1e-6, words_weight + window_weight);
  -- All of them may be set to 0.
  total constant double precision := greatest(1e-6, words_weight + window_weight + meaning_weight + near_weight + context_weight
    + date_weight + speaker_weight + user_weight + wish_weight + help_weight + times_weight + opening_weight
    + answer_weight + statement_weight + digits_weight + recency_weight + importance_weight);
  none constant double precision := 0;
  one constant double precision := 1;
  half constant double precision := 0.5;
  beside_share constant double precision := 0.9;
  opening_share constant double precision := 0.75;
  asked_at constant double precision := date_part('epoch', reference);
  half_life constant double precision := date_part('epoch', weight.half_life);
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
  distances constant integer[] := weight.distances;
  shares constant double precision[] := weight.shares;
  any_term constant tsquery := (select string_agg(t::text, ' | ')::tsquery from unnest(terms) as t);
  -- A speaker's name has weight B.
  any_name constant tsquery := (select string_agg(t::text || ':B', ' | ')::tsquery from unnest(terms) as t);
begin
  return query
  with told as materialized (
    -- All signals of the memory alone are one number, and the text index is not read again: what a step
    -- hands to the next one costs more than the arithmetic.
    select m.id, m.search_vector, m.occurred_at, m.has_question, e.similarity::double precision as similarity,
           -- A number each, so far apart that no match reaches another conversation. A memory outside
           -- any counts as a conversation of its own.
           uuid_hash_extended(coalesce(m.context_id, m.id), 0) & x'3fffffffffff0000'::bigint as conversation,
           uuid_hash_extended(coalesce(m.context_id, m.id), floor(date_part('epoch', m.occurred_at) / day)::bigint) as sitting,
           -- An opening that has nothing to do with the question is a greeting; and what was derived
           -- from a conversation opens none.
           case when m.is_opening then case when m.context_id is null or m.kind = 'message' then opening_share else none end end as opening,
           case when m.trust in ('assistant', 'tool') then none else user_weight end
             + case when m.names_time then times_weight else none end
             + case when m.is_question then none else statement_weight end
             + case when m.has_digits then digits_weight else none end
             + case when m.speaker is not null and m.search_vector @@ any_name then speaker_weight else none end
             + case when m.search_vector @@ wishes then wish_weight else none end
             + case when date_weight > none then date_weight * power(half, least(most, date_part('epoch', greatest(
                 interval '0', starts_at - m.occurred_at, m.occurred_at - ends_at)) / date_half_life)) else none end
             + recency_weight * power(half, least(most, greatest(none, (asked_at - date_part('epoch', m.occurred_at)) / half_life)))
             + importance_weight * m.importance as alone
    from public.ai_memories as m
    left join agent_memory.similarities(score_memories.organization_id, model, query_embedding, ids) as e
      on e.memory_id = m.id
    where m.organization_id = score_memories.organization_id and m.id = any (ids)
  ), scope as materialized (
    select t.id, t.similarity, t.sitting, t.opening, t.alone, t.conversation + row_number() over talk as place,
           coalesce(lag(t.has_question) over talk, false) as answers,
           greatest(lag(t.similarity) over talk, lead(t.similarity) over talk) as beside
    from told as t
    window talk as (partition by t.conversation order by t.occurred_at, t.id)
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
      select s.id, s.similarity, (words_weight * s.words + window_weight * s.window_words) / lexical_total as lexical,
             ((s.alone + words_weight * s.words + window_weight * s.window_words
               + (meaning_weight + help_weight) * s.meaning + near_weight * s.near_meaning + context_weight * s.context_meaning
               + opening_weight * s.opening
               + case when s.answers then answer_weight else none end) / total)::real as score
      from scaled as s offset 0) as f
    where f.score >= min_score
    order by f.score desc, f.id desc limit row_limit
  )
  select h.id, h.score, h.similarity::real, h.lexical::real, m.recency::real, m.importance,
    -- The sum above once more, part by part: (name, raw, scaled, weight).
    case when is_explained then (
      select jsonb_object_agg(p.name, jsonb_build_object(
        'raw', round(p.raw::numeric, 6), 'scaled', round(p.scaled::numeric, 6), 'weight', p.weight::real,
        'contribution', round((p.weight * p.scaled / total)::numeric, 6)))
      from scaled as s
      cross join lateral (values
        ('words', s.raw_words, s.words, words_weight, true),
        ('window_words', s.raw_window_words, s.window_words, window_weight, true),
        ('meaning', s.similarity, s.meaning, meaning_weight, query_embedding is not null),
        ('near_meaning', s.near_similarity, s.near_meaning, near_weight, query_embedding is not null),
        ('context_meaning', s.context_similarity, s.context_meaning, context_weight, query_embedding is not null),
        ('date', null, m.date, date_weight, starts_at is not null),
        ('speaker', null, m.is_named::integer, speaker_weight, true),
        ('user_words', null, (m.trust not in ('assistant', 'tool'))::integer, user_weight, true),
        ('wish', null, (m.search_vector @@ wishes)::integer, wish_weight, wishes is not null),
        ('help', s.similarity, s.meaning, help_weight, wishes is not null and query_embedding is not null),
        ('time_words', null, m.names_time::integer, times_weight, cues.asks_when),
        ('opening', null, s.opening, opening_weight, true),
        ('answer', null, s.answers::integer, answer_weight, true),
        ('statement', null, (not m.is_question)::integer, statement_weight, true),
        ('digits', null, m.has_digits::integer, digits_weight, true),
        ('recency', null, m.recency, weight.recency, true),
        ('latest', null, m.recency, latest_weight, cues.asks_latest),
        ('importance', null, m.importance, importance_weight, true)
      ) as p (name, raw, scaled, weight, runs)
      where s.id = h.id and p.runs) end
  from hits as h
  -- One by one, by their key: there are few of them.
  cross join lateral (
    select o.*, o.speaker is not null and o.search_vector @@ any_name as is_named,
           power(half, least(most, date_part('epoch', greatest(
             interval '0', starts_at - o.occurred_at, o.occurred_at - ends_at)) / date_half_life)) as date,
           power(half, least(most, greatest(none, (asked_at - date_part('epoch', o.occurred_at)) / half_life))) as recency
    from public.ai_memories as o
    where o.organization_id = score_memories.organization_id and o.id = h.id offset 0) as m;
end
$$;
comment on function agent_memory.score_memories(uuid, uuid[], tsquery[], real[], real[], text, agent_memory.query_cues, timestamptz, agent_memory.recall_weights, agent_memory.background, integer, real, boolean) is
  'The best row_limit of the named memories for one question, in no order, by every signal, weighted and fused; neighbours are those among them. Where they are candidates out of many, rarities holds the terms'' idf and background what all are like, so that they score as they would among all; else both are null. parts, if explained, is what explain_memories() gives; its contributions add up to the score.';

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
         order by n.occurred_at, n.id limit 9)
        union all
        (select n.id from public.ai_memories as n
         where n.organization_id = neighbours.organization_id and n.context_id = b.context_id
           and n.occurred_at < b.occurred_at
         order by n.occurred_at desc, n.id desc limit 8)) as n
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
end
$$;
comment on function agent_memory.holding(uuid, tsquery, boolean, integer) is
  'Memories of an organization that a tsquery matches, by the text index; has_most says whether it has most of all memories.';

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

create or replace function agent_memory.candidates(
  reach agent_memory.reach, query text, terms tsquery[], query_embedding real[], model text,
  weight agent_memory.recall_weights, match_limit integer, sample uuid[], expected double precision,
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
  alone agent_memory.recall_weights;
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
  -- Among candidates alone, those that follow one another need not be neighbours.
  alone := jsonb_populate_record(weight, jsonb_build_object(
    'distances', '[0]'::jsonb, 'shares', '[1]'::jsonb, 'meaning', weight.meaning + weight.near_meaning, 'near_meaning', 0));
  by_score := array(
    select s.id from agent_memory.score_memories(
      org, ids, terms, rarities, query_embedding, model, cues, reach.valid_at, alone, background,
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
comment on function agent_memory.candidates(agent_memory.reach, text, tsquery[], real[], text, agent_memory.recall_weights, integer, uuid[], double precision) is
  'The memories of a large scope that are worth scoring, with what stands around them; or all of it, where that takes no longer or too few pass the filters (is_exact). A sample of the organization, and the share of it that passes, may be known before. With what score_memories() is told beside them, how many were compared at most, and the steps for an explanation.';

create or replace function agent_memory.recalled(
  reach agent_memory.reach, query text, query_embedding real[], embedding_model text, match_limit integer,
  min_score real, is_explained boolean)
returns table (hit public.recalled_memory, parts jsonb)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  org constant uuid := (reach.caller).organization_id;
  settings constant jsonb := agent_memory.effective_settings(org, coalesce((reach.caller).program, reach.agent_id));
  weight constant agent_memory.recall_weights := agent_memory.recall_weights(settings);
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
      reach, query, terms, query_embedding, embedding_model, weight, match_limit, probe.sample, probe.share);
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
               s.score, s.semantic, s.lexical, s.recency, s.importance)::public.recalled_memory, s.parts
    from agent_memory.score_memories(
      org, ids, terms, rarities, query_embedding, embedding_model, cues, reach.valid_at, weight, background,
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
returns setof public.recalled_memory
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

select agent_memory.expose(function::regprocedure, variadic callers)
from (values
  ('agent_memory.recall_weights()', '{}'::text[]),
  ('agent_memory.recall_weights(jsonb)', '{}'),
  ('agent_memory.languages(uuid)', '{}'),
  ('agent_memory.query_terms(text, text[])', '{}'),
  ('agent_memory.named_time(text, timestamptz, uuid, uuid[])', '{}'),
  ('agent_memory.query_cues(text, timestamptz, uuid, uuid[])', '{}'),
  ('agent_memory.in_part(agent_memory.reach, text, uuid[], integer)', '{}'),
  ('agent_memory.is_frequent(uuid, jsonb)', '{}'),
  ('agent_memory.tagged(uuid, jsonb, bigint)', '{}'),
  ('agent_memory.in_reach(agent_memory.reach, uuid[], integer)', '{}'),
  ('agent_memory.whole_limit(double precision)', '{}'),
  ('agent_memory.probed(agent_memory.reach)', '{}'),
  ('agent_memory.score_memories(uuid, uuid[], tsquery[], real[], real[], text, agent_memory.query_cues, timestamptz, agent_memory.recall_weights, agent_memory.background, integer, real, boolean)', '{}'),
  ('agent_memory.sampled(uuid)', '{}'),
  ('agent_memory.share_of_memories(uuid)', '{}'),
  ('agent_memory.background(uuid, tsquery[], real[], text, uuid[])', '{}'),
  ('agent_memory.neighbours(uuid, uuid[], uuid[])', '{}'),
  ('agent_memory.holding(uuid, tsquery, boolean, integer)', '{}'),
  ('agent_memory.matching(uuid, tsquery[], agent_memory.background, integer, integer)', '{}'),
  ('agent_memory.rarities(uuid, uuid[], tsquery[], double precision[], boolean[], double precision, double precision)', '{}'),
  ('agent_memory.wishing(uuid, tsquery, integer)', '{}'),
  ('agent_memory.check_embedding(uuid, real[], text)', '{}'),
  ('agent_memory.first_of(uuid[], uuid[], integer)', '{}'),
  ('agent_memory.step(text, uuid[], timestamptz)', '{}'),
  ('agent_memory.candidates(agent_memory.reach, text, tsquery[], real[], text, agent_memory.recall_weights, integer, uuid[], double precision)', '{}'),
  ('agent_memory.recalled(agent_memory.reach, text, real[], text, integer, real, boolean)', '{}'),
  ('public.recall_memories(text, real[], text, text, text, text, text[], jsonb, timestamptz, timestamptz, timestamptz, integer, real)', '{authenticated,service_role}')
) as grants (function, callers);

-- What comes next on this connection, which a pooler may give to somebody else, has its own path.
reset search_path;
