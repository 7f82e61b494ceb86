-- Writing ------------------------------------------------------------------------------------

create or replace function agent_memory.plain_text(content text)
returns text
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Of a long text that takes too long, and two of those are hardly the same but for their form.
  return lower(regexp_replace(btrim(
    case when octet_length(content) > 30000 then content else agent_memory.matched_form(content) end,
    E' \t\r\n'), '\s+', ' ', 'g'));
end
$$;
comment on function agent_memory.plain_text(text) is
  'A text without regard to case, white space and, up to 30,000 bytes, Unicode form: two that are equal so say the same.';

create or replace function agent_memory.text_key(
  agent_id text, user_id text, context_key text, slot text, visibility text, content text,
  kind text, trust text, speaker text, occurred_at timestamptz)
returns bytea
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return case when slot is null and (kind <> 'message' or context_key is null) then sha256(convert_to(jsonb_build_array(
    agent_id, user_id, context_key, visibility, agent_memory.plain_text(content),
    case when kind = 'message' then concat_ws(' ', trust, speaker) end,
    extract(epoch from case when kind in ('message', 'event') then occurred_at end))::text, 'UTF8')) end;
end
$$;
comment on function agent_memory.text_key(text, text, text, text, text, text, text, text, text, timestamptz) is
  'The dedup_key that a memory has as long as it can be recalled, which makes two the same: agent, user, context, visibility (so that nobody finds out by guessing what another keeps private), the plain text; of an event also when it happened, and of a message outside any conversation who said it, and when. Null for a value of a slot and for a message of a conversation, which are never duplicates because of their text alone.';

create or replace function agent_memory.release_texts(organization_id uuid, dedup_keys bytea[], later_ones boolean default true)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  -- In the order in which add_memories() goes through them, so that two never wait for each other in a circle.
  with held as (
    select m.id from public.ai_memories as m
    where m.organization_id = release_texts.organization_id and m.dedup_key = any (dedup_keys)
      and m.superseded_by is null and m.forgotten_at is null
      and (m.valid_to <= agent_memory.now() or m.expires_at <= agent_memory.now()
           -- Not of a writer that began after this one, and was first.
           or (later_ones and m.valid_from > agent_memory.now() + (clock_timestamp() - pg_catalog.now())))
    order by m.dedup_key for no key update
  )
  update public.ai_memories as m set dedup_key = null
  from held as h where m.organization_id = release_texts.organization_id and m.id = h.id;
end
$$;
comment on function agent_memory.release_texts(uuid, bytea[], boolean) is
  'Takes some keys from memories that can''t be recalled now, since they have ended, have expired or, with later_ones, are not valid yet: the same text may be remembered again. Of a forgotten or superseded one the key stands in nobody''s way.';

create or replace function agent_memory.refusal(item jsonb)
returns agent_memory.problem
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  problem agent_memory.problem;
  code text;
begin
  if jsonb_typeof(item) is distinct from 'object' then
    return row('invalid_item', 'an item must be an object with at least "content"')::agent_memory.problem;
  end if;
  select p.* into problem
    from jsonb_each(item) as e
    left join (values
      ('id', 36), ('agent_id', 255), ('user_id', 255), ('context_key', 500), ('kind', 20), ('speaker', 255),
      ('language', 63), ('slot', 500), ('trust', 20), ('visibility', 20), ('idempotency_key', 255),
      ('embedding_model', 255), ('content', 0), ('metadata', 0), ('importance', 0), ('confidence', 0),
      ('occurred_at', 0), ('valid_from', 0), ('valid_to', 0), ('expires_at', 0), ('embedding', 0),
      ('piece_embeddings', 0), ('role', 0)) as f (name, longest)
      on f.name = e.key
    cross join lateral (
      select 'unknown_field', format('unknown field "%s"', left(e.key, 60)) where f.longest is null
      union all
      select case when char_length(e.value #>> '{}') > f.longest then 'too_long' else 'invalid_field' end,
             format('%s must be a text of 1 to %s characters', e.key, f.longest)
      where f.longest > 0 and jsonb_typeof(e.value) <> 'null'
        and (jsonb_typeof(e.value) <> 'string' or char_length(e.value #>> '{}') not between 1 and f.longest)
      union all
      select 'invalid_field', 'role is of a message of append_memories(): user, assistant, tool, system or developer'
      where e.key = 'role'
      union all
      select 'invalid_field', format('%s must be a number from 0 to 1', e.key)
      where e.key in ('importance', 'confidence') and (agent_memory.number_problem(e.key, e.value, 0, 1, false) is not null
             -- A smaller one would underflow as a real.
             or e.value > '0' and e.value < '1e-30'))
      as p (code, reason)
    order by p.reason limit 1;
  if problem.code is not null then
    return problem;
  end if;
  code := case
    when jsonb_typeof(item -> 'content') is distinct from 'string' then 'content'
    when item ->> 'content' !~ '\S' then 'empty_content'
    when char_length(item ->> 'content') > 1000000 then 'too_long'
    when item ->> 'kind' not in ('message', 'fact', 'preference', 'event', 'procedure', 'summary', 'note') then 'kind'
    when item ->> 'trust' not in ('user', 'assistant', 'tool', 'document', 'inference') then 'trust'
    when item ->> 'visibility' not in ('private', 'agent', 'organization') then 'visibility'
    when not agent_memory.is_safe_json(coalesce(nullif(item -> 'metadata', 'null'), '{}')) then 'metadata'
    when not agent_memory.is_storable(item ->> 'embedding')
         or ((item ->> 'embedding') is not null and (item ->> 'embedding_model') is null) then 'invalid_embedding'
    when agent_memory.piece_refusal(item) is not null then 'pieces'
  end;
  return row(
    case when code in ('content', 'kind', 'trust', 'visibility', 'metadata') then 'invalid_field'
         when code = 'pieces' then 'invalid_embedding' else code end,
    case code
      when 'content' then 'content must be a text'
      when 'empty_content' then 'content is empty'
      when 'too_long' then format(
        'content has %s characters, more than 1,000,000; split it', char_length(item ->> 'content'))
      when 'kind' then 'kind must be message, fact, preference, event, procedure, summary or note'
      when 'trust' then 'trust must be user, assistant, tool, document or inference'
      when 'visibility' then 'visibility must be private, agent or organization'
      when 'metadata' then 'metadata must be an object of at most 64 KiB and 32 levels, with numbers from -1e300 to 1e300'
      when 'pieces' then agent_memory.piece_refusal(item)
      -- The pattern takes as long as all the rest: it only finds words for what was refused already.
      when 'invalid_embedding' then case
        when item ->> 'embedding' !~ '^\[[-+0-9.eE, ]+\]$' then 'embedding must be an array of finite numbers'
        when (item ->> 'embedding_model') is null then 'embedding needs embedding_model'
        else 'embedding must hold numbers from -65504 to 65504, not all of them zero or nearly so' end
    end)::agent_memory.problem;
end
$$;
comment on function agent_memory.refusal(jsonb) is 'Why an item can''t be remembered, by its fields alone; nulls if nothing is wrong.';

create or replace function agent_memory.writers_settings(caller agent_memory.principal, memories jsonb)
returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
begin
  return (
    select jsonb_object_agg(a.agent_id, agent_memory.effective_settings(caller.organization_id, a.agent_id))
    from (select distinct coalesce(e.item ->> 'agent_id', caller.program, 'default') as agent_id
          from jsonb_array_elements(memories) as e (item)) as a);
end
$$;
comment on function agent_memory.writers_settings(agent_memory.principal, jsonb) is
  'The settings of the agents that items are to be stored for, by agent_id.';

create or replace function agent_memory.drafts(caller agent_memory.principal, memories jsonb, are_storable boolean)
returns agent_memory.draft[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return (
    select array_agg(row(
        ordinal, id, agent_id, user_id, context_key,
        kind, content, speaker, language, slot, importance, confidence, trust, visibility, metadata,
        occurred_at, valid_from, valid_to, expires_at, idempotency_key,
        case when idempotency_key is not null then sha256(convert_to(
          jsonb_build_array(agent_id, user_id, caller.subject, idempotency_key)::text, 'UTF8')) end,
        -- What has ended already is no reason why the same text should not be remembered.
        case when wrong.code is null and coalesce(least(valid_to, expires_at) > now, true) then agent_memory.text_key(
          agent_id, user_id, context_key, slot, visibility, content, kind, trust, speaker, occurred_at) end,
        embedding_model, is_identified, told_at is not null, null, null,
        wrong.code, coalesce(reason, case wrong.code
          when 'recalled_content' then 'content is recalled memory and nothing else; it is remembered already'
          when 'invalid_time' then format('%s must be a time in ISO 8601, such as 2026-11-23T10:15:00Z', mistimed)
          when 'invalid_range' then 'valid_to lies before valid_from'
          when 'needs_user' then 'a private memory needs a user_id'
          when 'not_permitted' then
            format('%s may not write for agent %s and user %s', caller.role, agent_id, coalesce(user_id, '(none)'))
        end), null, null, null, null)::agent_memory.draft order by ordinal)
    from (
      select
        clock.now, e.ordinal::integer as ordinal,
        (e.item ->> 'id') is not null as is_identified,
        case when e.item ->> 'id' ~* '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' then (e.item ->> 'id')::uuid
             else agent_memory.uuid_v7(clock_timestamp() + e.ordinal * interval '1 microsecond') end as id,
        coalesce(e.item ->> 'agent_id', caller.program, 'default') as agent_id,
        coalesce(e.item ->> 'user_id', caller.person) as user_id,
        e.item ->> 'context_key' as context_key,
        coalesce(e.item ->> 'kind', 'fact') as kind,
        own.content,
        -- A message told as "Name: words" names its speaker.
        coalesce(e.item ->> 'speaker', case when e.item ->> 'kind' = 'message' then
          substring(left(own.content, 50) from '^([[:upper:]][^:[:cntrl:]]{0,39}): ') end) as speaker,
        coalesce(e.item ->> 'language', w.settings ->> 'language', agent_memory.detected_language(own.content), 'english') as language,
        e.item ->> 'slot' as slot,
        case when (r.problem).code is null then coalesce((e.item ->> 'importance')::real, 0.5) end as importance,
        case when (r.problem).code is null then coalesce((e.item ->> 'confidence')::real, 1) end as confidence,
        coalesce(e.item ->> 'trust', 'user') as trust,
        coalesce(e.item ->> 'visibility', case
          -- About nobody it can't be private.
          when coalesce(e.item ->> 'user_id', caller.person) is null then coalesce(nullif(w.settings ->> 'visibility', 'private'), 'agent')
          else coalesce(w.settings ->> 'visibility', 'private') end) as visibility,
        coalesce(nullif(e.item -> 'metadata', 'null'), '{}') as metadata,
        t.occurred_at as told_at,
        -- Messages that tell no time are said one after the other.
        coalesce(t.occurred_at, clock.now + case when e.item ->> 'kind' = 'message' then e.ordinal - 1 else 0 end
          * interval '1 microsecond') as occurred_at,
        coalesce(t.valid_from, least(t.occurred_at, clock.now)) as valid_from,
        t.valid_to, t.expires_at, t.mistimed,
        e.item ->> 'idempotency_key' as idempotency_key,
        e.item ->> 'embedding_model' as embedding_model,
        coalesce((r.problem).code, case when e.item ->> 'id' !~* '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' then 'invalid_field' end) as code,
        coalesce((r.problem).reason, case when e.item ->> 'id' !~* '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' then 'id must be a UUID' end) as reason
      from jsonb_array_elements(memories) with ordinality as e (item, ordinal)
      cross join (select agent_memory.writers_settings(caller, memories) as by_agent offset 0) as writers
      cross join (select agent_memory.now() as now offset 0) as clock
      cross join lateral (select writers.by_agent -> coalesce(e.item ->> 'agent_id', caller.program, 'default') as settings) as w
      cross join lateral (
        -- Nearly every item is an object of some of these fields, with nothing wrong: seen at once,
        -- without asking for the reason of a refusal, which takes ten times as long.
        select case when coalesce(
            jsonb_typeof(e.item) = 'object' and are_storable
            and e.item - '{content,kind,trust,visibility,agent_id,user_id,context_key,speaker,metadata,occurred_at,embedding,embedding_model}'::text[] = '{}'
            and jsonb_typeof(e.item -> 'content') = 'string'
            and char_length(e.item ->> 'content') <= 1000000 and e.item ->> 'content' ~ '\S'
            and coalesce(e.item ->> 'kind' in ('message', 'fact', 'preference', 'event', 'procedure', 'summary', 'note'), not e.item ? 'kind')
            and coalesce(e.item ->> 'trust' in ('user', 'assistant', 'tool', 'document', 'inference'), not e.item ? 'trust')
            and coalesce(e.item ->> 'visibility' in ('private', 'agent', 'organization'), not e.item ? 'visibility')
            and coalesce(jsonb_typeof(e.item -> 'agent_id') = 'string' and char_length(e.item ->> 'agent_id') between 1 and 255, true)
            and coalesce(jsonb_typeof(e.item -> 'user_id') = 'string' and char_length(e.item ->> 'user_id') between 1 and 255, true)
            and coalesce(jsonb_typeof(e.item -> 'context_key') = 'string' and char_length(e.item ->> 'context_key') between 1 and 500, true)
            and coalesce(jsonb_typeof(e.item -> 'speaker') = 'string' and char_length(e.item ->> 'speaker') between 1 and 255, true)
            and coalesce(jsonb_typeof(e.item -> 'embedding_model') = 'string' and char_length(e.item ->> 'embedding_model') between 1 and 255, true)
            and (e.item ? 'embedding_model' or not e.item ? 'embedding')
            and agent_memory.is_safe_json(coalesce(e.item -> 'metadata', '{}')), false)
          then null else agent_memory.refusal(e.item) end
        -- Asked once, not where each of the columns above needs it.
        offset 0) as r (problem)
      cross join lateral agent_memory.without_recalled(e.item ->> 'content') as own (content)
      cross join lateral (
        select max(p.at) filter (where p.name = 'occurred_at') as occurred_at,
               max(p.at) filter (where p.name = 'valid_from') as valid_from,
               max(p.at) filter (where p.name = 'valid_to') as valid_to,
               max(p.at) filter (where p.name = 'expires_at') as expires_at,
               max(p.name) filter (where p.at is null) as mistimed
        from (select n.name, agent_memory.parse_time(e.item -> n.name) as at
              from unnest(array['occurred_at', 'valid_from', 'valid_to', 'expires_at']) as n (name)
              where (e.item ->> n.name) is not null offset 0) as p) as t
    ) as items
    cross join lateral (select coalesce(items.code, case
      when content !~ '\S' then 'recalled_content'
      when mistimed is not null then 'invalid_time'
      when valid_to < valid_from then 'invalid_range'
      when visibility = 'private' and user_id is null then 'needs_user'
      when not coalesce(agent_memory.may_write(
             visibility, user_id, agent_id, caller.role, caller.person, caller.program), false) then 'not_permitted'
    end) offset 0) as wrong (code));
end
$$;
comment on function agent_memory.drafts(agent_memory.principal, jsonb, boolean) is 'The items of remember_memories(), read, completed with defaults and checked; are_storable says that their vectors are in order.';

create or replace function agent_memory.settle_languages(organization_id uuid, drafts agent_memory.draft[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  insert into public.agent_memory_config as c (organization_id, agent_id, languages)
  select settle_languages.organization_id, told.agent_id, told.languages
  from (select d.agent_id, array_agg(distinct d.language order by d.language) as languages
        from (select w.agent_id, case agent_memory.text_config(w.language)
                -- All that the server has no stemmer for are one, so there are never too many to keep.
                when 'pg_catalog.simple'::regconfig then 'simple' else w.language end as language
              from unnest(drafts) as w where w.code is null and w.language <> 'english') as d
        group by d.agent_id order by d.agent_id) as told
  where not exists (
    select from public.agent_memory_config as known
    where known.organization_id = settle_languages.organization_id and known.agent_id = told.agent_id
      and known.languages @> told.languages)
  on conflict (organization_id, agent_id) do update
    set languages = array(select distinct l from unnest(c.languages || excluded.languages) as l order by l), updated_at = excluded.updated_at;
end
$$;
comment on function agent_memory.settle_languages(uuid, agent_memory.draft[]) is
  'Notes the languages of drafts that their agents have stored nothing in so far.';

-- Writing -------------------------------------------------------------------------------------

create or replace function agent_memory.add_memories(organization_id uuid, drafts agent_memory.draft[])
returns setof uuid
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  -- Where something is said that belongs before what is there already.
  overtaken constant uuid[] := array(
    select t.context_id
    from (select d.context_id, min(d.occurred_at) as occurred_at from unnest(drafts) as d
          where d.code is null and d.kind = 'message' and d.context_id is not null and d.forgotten_at is null group by d.context_id) as t
    where t.occurred_at < (
      select m.occurred_at from public.ai_memories as m
      where m.organization_id = add_memories.organization_id and m.context_id = t.context_id
        and m.kind = 'message' and m.forgotten_at is null
      order by m.occurred_at desc, m.position desc limit 1));
begin
  perform agent_memory.release_texts(add_memories.organization_id, array(
    select d.dedup_key from unnest(drafts) as d
    where d.code is null and d.dedup_key is not null and d.forgotten_at is null and d.valid_from <= agent_memory.now()));
  perform agent_memory.release_texts(add_memories.organization_id, array(
    select d.dedup_key from unnest(drafts) as d
    where d.code is null and d.dedup_key is not null and d.forgotten_at is null and d.valid_from > agent_memory.now()), false);
  return query
  insert into public.ai_memories as m (
    organization_id, id, agent_id, user_id, context_id, kind, content, speaker, language, slot,
    importance, confidence, trust, visibility, metadata, occurred_at, valid_from, valid_to, superseded_by,
    stated_valid_to, expires_at, forgotten_at, created_at, updated_at, idempotency_key, idempotency_digest, dedup_key, position, window_lexemes)
  select add_memories.organization_id, d.id, d.agent_id, d.user_id, d.context_id, d.kind, d.content, d.speaker,
    d.language, d.slot, d.importance, d.confidence, d.trust, d.visibility, d.metadata, d.occurred_at,
    d.valid_from, d.valid_to, d.superseded_by, d.stated_valid_to, d.expires_at, d.forgotten_at, coalesce(d.created_at, clock.now), clock.now,
    d.idempotency_key, d.idempotency_digest, d.dedup_key,
    coalesce(d.position, extract(epoch from clock_timestamp()) * 1000000), w.window_lexemes
  from unnest(drafts) as d
  cross join (select agent_memory.now() as now offset 0) as clock
  left join agent_memory.windows(add_memories.organization_id, drafts) as w on w.ordinal = d.ordinal
  where d.code is null
  -- What is valid later only gives way to what is valid now.
  order by d.dedup_key, d.valid_from > clock.now, d.ordinal
  on conflict do nothing
  returning m.id;
  if overtaken <> '{}' then
    perform agent_memory.refresh_windows(add_memories.organization_id, overtaken);
  end if;
end
$$;
comment on function agent_memory.add_memories(uuid, agent_memory.draft[]) is
  'Inserts the drafts that are not refused and returns the ids of those that were not there already. In the order of their keys, so that two writers never wait for each other in a circle.';

create or replace function agent_memory.identified(organization_id uuid, drafts agent_memory.draft[])
returns setof agent_memory.remembered_memory
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
    select distinct on (d.ordinal)
      d.ordinal, case when same.text then m.id end, case when same.text then 'duplicate' else 'rejected' end,
      case when same.text then m.known else m.taken end, case when same.text then m.why_known else m.why_taken end
    from unnest(drafts) as d
    cross join lateral (
      select 1 as place, k.*, 'known_key' as known, 'the idempotency key was used before' as why_known,
             'key_taken' as taken, 'the idempotency key was used for another memory' as why_taken
      from public.ai_memories as k
      where k.organization_id = identified.organization_id and k.idempotency_digest = d.idempotency_digest
      union all
      select 2, k.*, 'known_id', 'the id is remembered already', 'id_taken', 'the id was used for another memory'
      from public.ai_memories as k
      where d.is_identified and k.organization_id = identified.organization_id and k.id = d.id) as m
    cross join lateral (
      select m.agent_id = d.agent_id and m.user_id is not distinct from d.user_id and m.slot is not distinct from d.slot
        and m.visibility = d.visibility and m.context_id is not distinct from d.context_id
        and (d.context_key is null) = (d.context_id is null)
        and (m.content = d.content or agent_memory.plain_text(m.content) = agent_memory.plain_text(d.content)) as text) as same
    where d.code is null and (d.is_identified or d.idempotency_digest is not null)
    order by d.ordinal, m.place;
end
$$;
comment on function agent_memory.identified(uuid, agent_memory.draft[]) is
  'The answers for those drafts whose id or idempotency key is there already: with the same text a duplicate, with another one rejected.';

create or replace function agent_memory.existing(organization_id uuid, draft agent_memory.draft)
returns agent_memory.remembered_memory
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return coalesce(
    (select i from agent_memory.identified(existing.organization_id, array[draft]) as i),
    (select row(draft.ordinal, m.id, 'duplicate', 'same_text', 'the same text is remembered already')::agent_memory.remembered_memory
     from public.ai_memories as m
     where m.organization_id = existing.organization_id and m.dedup_key = draft.dedup_key
       and m.superseded_by is null and m.forgotten_at is null
       and (m.valid_to is null or m.valid_to > agent_memory.now())
       and (m.expires_at is null or m.expires_at > agent_memory.now())
       and (m.valid_from <= agent_memory.now() + (clock_timestamp() - pg_catalog.now()) or draft.valid_from > agent_memory.now())
     limit 1),
    row(draft.ordinal, null, 'rejected', 'contended', 'the same memory was being changed by another writer; send it again')::agent_memory.remembered_memory);
end
$$;
comment on function agent_memory.existing(uuid, agent_memory.draft) is
  'The answer for a draft that was not added: what stood in its way.';

-- Conversations that are told again -----------------------------------------------------------

create or replace function agent_memory.resent_messages(organization_id uuid, context_id uuid, drafts agent_memory.draft[])
returns uuid[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  told constant bigint[] := array(
    select hashtextextended(d.content, hashtext(d.trust)) from unnest(drafts) with ordinality as d order by d.ordinality);
  n constant integer := cardinality(told);
  borders integer[] := array_fill(0, array[n]);
  k integer := 0;
  ids uuid[];
  live uuid[];
  stored bigint[];
  times timestamptz[];
  resent uuid[] := '{}';
begin
  -- By digests of role and text. Knuth, Morris and Pratt: how much of the list's beginning ends at each place of it, and then at the end
  -- of what is stored.
  for place in 2 .. n loop
    while k > 0 and told[k + 1] <> told[place] loop
      k := borders[k];
    end loop;
    k := k + (told[k + 1] = told[place])::integer;
    borders[place] := k;
  end loop;
  -- Who tells it again may not know that some of it was forgotten here, or may have left that out, too.
  for with_forgotten in 0 .. 1 loop
    select array_agg(t.id order by t.occurred_at, t.position), array_agg(t.hash order by t.occurred_at, t.position),
           array_agg(t.occurred_at order by t.occurred_at, t.position)
      into ids, stored, times
      from (select m.id, m.occurred_at, m.position, hashtextextended(m.content, hashtext(m.trust)) as hash
            from public.ai_memories as m
            where m.organization_id = resent_messages.organization_id and m.context_id = resent_messages.context_id
              and m.kind = 'message'
              -- What was forgotten behind the last of the others was taken back: said again, it is said anew.
              and (m.forgotten_at is null or with_forgotten = 1 and (m.occurred_at, m.position) < (
                select l.occurred_at, l.position from public.ai_memories as l
                where l.organization_id = resent_messages.organization_id and l.context_id = resent_messages.context_id
                  and l.kind = 'message' and l.forgotten_at is null
                order by l.occurred_at desc, l.position desc limit 1))
            -- As much as can be told again, and one more, by which a part is known from the whole.
            order by m.occurred_at desc, m.position desc limit n + 1) as t;
    exit when ids is null or ids = live;
    live := ids;
    k := 0;
    for place in 1 .. cardinality(stored) loop
      while k = n or (k > 0 and told[k + 1] <> stored[place]) loop
        k := borders[k];
      end loop;
      k := k + (told[k + 1] = stored[place])::integer;
    end loop;
    while k > 1 or (k = 1 and cardinality(ids) = 1) loop
      exit when not exists (
        select from unnest(drafts) with ordinality as d
        where d.ordinality <= k and (
          d.is_timed and times[cardinality(ids) - k + d.ordinality] <> d.occurred_at
          or d.is_identified and ids[cardinality(ids) - k + d.ordinality] <> d.id));
      k := borders[k];
    end loop;
    if k > cardinality(resent) and (k > 1 or cardinality(ids) = 1) then
      resent := ids[cardinality(ids) - k + 1 :];
    end if;
  end loop;
  return resent;
end
$$;
comment on function agent_memory.resent_messages(uuid, uuid, agent_memory.draft[]) is
  'Those messages, with which a conversation ends, that some drafts begin with, by role and text, and by time and id where these are told: at least two, or all that it has.';

create or replace function agent_memory.known_messages(organization_id uuid, drafts agent_memory.draft[])
returns agent_memory.remembered_memory[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  told agent_memory.draft[] := array(
    select d from unnest(drafts) as d where d.code is null and d.kind = 'message' and d.context_key is not null order by d.ordinal);
  answers agent_memory.remembered_memory[];
begin
  if told = '{}' then
    return '{}';
  end if;
  answers := array(select i from agent_memory.identified(known_messages.organization_id, told) as i);
  if exists (select from unnest(answers) as a where a.status = 'rejected') then
    told := array(select d from unnest(told) as d
                  where not exists (select from unnest(answers) as a where a.ordinal = d.ordinal and a.status = 'rejected') order by d.ordinal);
  end if;
  answers := answers || array(
    with listed as materialized (
      select d.ordinal, d.context_id, d.occurred_at, d.trust, coalesce(d.speaker, '') as speaker, d.content, row_number() over (
               partition by d.context_id, d.occurred_at, d.trust, d.speaker, hashtextextended(d.content, 0) order by d.ordinal) as nth
      from unnest(told) as d where d.is_timed and d.context_id is not null
    ), stored as materialized (
      select m.id, m.context_id, m.occurred_at, m.trust, coalesce(m.speaker, '') as speaker, m.content, row_number() over (
               partition by m.context_id, m.occurred_at, m.trust, m.speaker, hashtextextended(m.content, 0) order by m.position) as nth
      from (select distinct l.context_id, l.occurred_at from listed as l) as l
      cross join lateral (
        select o.id, o.context_id, o.occurred_at, o.trust, o.speaker, o.content, o.position from public.ai_memories as o
        where o.organization_id = known_messages.organization_id and o.context_id = l.context_id
          and o.occurred_at = l.occurred_at and o.kind = 'message' offset 0) as m
    )
    select row(l.ordinal, s.id, 'duplicate', 'known_message', 'the message is stored already')::agent_memory.remembered_memory
    from listed as l
    join stored as s on s.context_id = l.context_id and s.occurred_at = l.occurred_at and s.nth = l.nth
     and s.trust = l.trust and s.speaker = l.speaker and s.content = l.content
    where not exists (select from unnest(answers) as a where a.ordinal = l.ordinal));
  return answers || array(
    select row(d.ordinal, r.id, 'duplicate', 'known_message', 'the message is stored already')::agent_memory.remembered_memory
    from (select d.context_id, array_agg(d order by d.ordinal) as drafts
          from unnest(told) as d where d.context_id is not null
          group by d.context_id having count(*) > 1 and bool_or(not d.is_timed and not d.is_identified)) as talk
    cross join lateral unnest(agent_memory.resent_messages(known_messages.organization_id, talk.context_id, talk.drafts))
      with ordinality as r (id, place)
    cross join lateral (select (talk.drafts[r.place]).ordinal offset 0) as d
    where not exists (select from unnest(answers) as a where a.ordinal = d.ordinal));
end
$$;
comment on function agent_memory.known_messages(uuid, agent_memory.draft[]) is
  'The answers for those drafts that are messages of conversations and stored already: by id or idempotency key; by role, speaker, text and time, where it is told, the second of two such for the second that is stored; or as the end of the conversation, with which a list of several begins. The caller holds the conversations'' locks.';

create or replace function agent_memory.repeated_drafts(drafts agent_memory.draft[])
returns integer[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if cardinality(drafts) = 1 or not exists (
      select from unnest(drafts) as d where d.is_identified or d.idempotency_digest is not null
      having count(*) > count(distinct d.id) or count(d.idempotency_digest) > count(distinct d.idempotency_digest)) then
    return '{}';
  end if;
  return array(
    select r.ordinal
    from (select d.ordinal, d.idempotency_digest is not null as has_key,
                 row_number() over (partition by d.id order by d.valid_from > agent_memory.now(), d.ordinal) as of_id,
                 row_number() over (partition by d.idempotency_digest order by d.valid_from > agent_memory.now(), d.ordinal) as of_key
          from unnest(drafts) as d) as r
    where r.of_id > 1 or (r.of_key > 1 and r.has_key));
end
$$;
comment on function agent_memory.repeated_drafts(agent_memory.draft[]) is
  'The ordinals of those drafts whose id or idempotency key another one has that comes before: one that is valid now comes before one that is valid later.';

create or replace function agent_memory.first_told(drafts agent_memory.draft[])
returns agent_memory.draft[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  repeated constant integer[] := agent_memory.repeated_drafts(drafts);
begin
  if repeated = '{}' then
    return drafts;
  end if;
  return array(
    select t.draft
    from (select d as draft, r.ordinal is not null as is_repeated,
                 -- The text of one that is held back may be written yet, and makes a later one a duplicate.
                 d.dedup_key is not null and bool_or(r.ordinal is not null) over (
                   partition by d.dedup_key order by d.valid_from > agent_memory.now(), d.ordinal) as is_undecided
          from unnest(drafts) as d
          left join unnest(repeated) as r (ordinal) on r.ordinal = d.ordinal) as t
    where not t.is_repeated and not t.is_undecided
    order by (t.draft).ordinal);
end
$$;
comment on function agent_memory.first_told(agent_memory.draft[]) is
  'The drafts without those whose id, idempotency key or text hangs on what becomes of one before them that tells the same id or key.';

create or replace function agent_memory.add_drafts(
  caller agent_memory.principal, memories jsonb, drafts agent_memory.draft[], vectors agent_memory.vector_value[])
returns agent_memory.remembered_memory[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  chosen agent_memory.draft[];
  answers agent_memory.remembered_memory[];
  added uuid[];
  all_answers agent_memory.remembered_memory[] := '{}';
begin
  if drafts <> '{}' then
    perform agent_memory.settle_languages(caller.organization_id, drafts);
  end if;
  while drafts <> '{}' loop
    chosen := agent_memory.first_told(drafts);
    with added as materialized (
      select agent_memory.add_memories(caller.organization_id, array(
        -- What is forgotten holds no slot.
        select d from unnest(chosen) as d where d.slot is null or d.forgotten_at is not null)) as id
    )
    select array_agg(row(d.ordinal, d.id, 'added', case when d.forgotten_at is null then 'added' else 'forgotten' end,
                         case when d.forgotten_at is not null then 'it was forgotten, and stays so' end)::agent_memory.remembered_memory)
      into answers
      from unnest(chosen) as d join added as a on a.id = d.id;
    answers := coalesce(answers, '{}');
    answers := answers || agent_memory.set_slots(caller, array(select d from unnest(chosen) as d where d.slot is not null and d.forgotten_at is null));
    added := array(select a.id from unnest(answers) as a where a.status in ('added', 'superseded'));
    perform agent_memory.index_added(caller.organization_id, memories, chosen, vectors, added);
    answers := answers || array(
      select e from unnest(drafts) as d
      cross join lateral agent_memory.existing(caller.organization_id, d) as e
      where not exists (select from unnest(answers) as a where a.ordinal = d.ordinal)
        -- What was held back and is not there yet, is written now.
        and (e.code <> 'contended' or d = any (chosen)));
    all_answers := all_answers || answers;
    drafts := array(
      select d from unnest(drafts) as d
      where not exists (select from unnest(answers) as a where a.ordinal = d.ordinal) order by d.ordinal);
  end loop;
  return all_answers;
end
$$;
comment on function agent_memory.add_drafts(
  agent_memory.principal, jsonb, agent_memory.draft[], agent_memory.vector_value[]) is
  'Writes the drafts, none of which is refused, and answers for each.';

create or replace function public.remember_memories(memories jsonb)
returns setof agent_memory.remembered_memory
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller agent_memory.principal := agent_memory.require_writer('remember');
  drafts agent_memory.draft[];
  vectors agent_memory.vector_value[];
  answers agent_memory.remembered_memory[];
begin
  if jsonb_typeof(memories) is distinct from 'array' then
    raise exception using errcode = 'PM003', message = 'memories must be an array of objects',
      hint = 'Such as [{"content": "Maria is vegetarian.", "user_id": "maria"}].';
  elsif jsonb_array_length(memories) > 10000 then
    raise exception using errcode = 'PM008',
      message = format('%s memories in one call are more than 10,000', jsonb_array_length(memories)),
      hint = 'Send them in several calls, in one transaction if they belong together.';
  end if;
  vectors := agent_memory.read_vectors(array(select e.item ->> 'embedding' from jsonb_array_elements(memories) as e (item)));
  drafts := agent_memory.drafts(caller, memories, vectors is not null);
  -- What can't be stored is refused by now; the rest is read without it.
  vectors := coalesce(vectors, agent_memory.vectors_of(memories, drafts));
  perform agent_memory.settle_contexts(caller.organization_id, drafts);
  drafts := agent_memory.place_drafts(caller.organization_id, drafts);
  answers := agent_memory.known_messages(caller.organization_id, drafts);
  answers := answers || agent_memory.add_drafts(caller, memories, array(
    select d from unnest(drafts) as d
    where d.code is null and not exists (select from unnest(answers) as a where a.ordinal = d.ordinal) order by d.ordinal), vectors);
  return query
    select d.ordinal, a.id, coalesce(a.status, 'rejected'), coalesce(a.code, d.code), case when a.status is null then d.reason else a.reason end
    from unnest(drafts) as d
    left join unnest(answers) as a on a.ordinal = d.ordinal
    order by d.ordinal;
end
$$;
comment on function public.remember_memories(jsonb) is
  'Stores a list of memories in one transaction and answers for each item, in order. Fields of an item: content, and optionally id, agent_id, user_id, context_key, kind, speaker, language, slot, importance, confidence, trust, visibility, metadata, occurred_at, valid_from, valid_to, expires_at, idempotency_key, embedding with embedding_model. Messages with a context_key are a sequence: what of it is stored already is recognised, by id, by role, text and time, or as the end of the conversation with which a list of several begins; the rest is appended. Any other text is a duplicate of the same one that can be recalled now. What the caller may not write, and what is malformed, is rejected with a code and a reason; the other items are stored. Raises PM001, PM002, PM003, PM005, PM008.';
