-- Writing ------------------------------------------------------------------------------------

create or replace function agent_memory.dedup_key(
  agent_id text, user_id text, context_key text, slot text, visibility text, content text, told_by text, told_at timestamptz)
returns bytea
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return sha256(convert_to(jsonb_build_array(
    agent_id, user_id, context_key, slot, visibility,
    lower(regexp_replace(btrim(content, E' \t\r\n'), '\s+', ' ', 'g')),
    told_by, extract(epoch from told_at))::text, 'UTF8'));
end
$$;
comment on function agent_memory.dedup_key(text, text, text, text, text, text, text, timestamptz) is
  'What makes two memories the same: agent, user, context, slot, visibility (so that nobody finds out by guessing what another keeps private), text without regard to case and white space; of a message also who said it, and when, where its writer told.';

create or replace function agent_memory.refusal(item jsonb)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  problem text;
begin
  if jsonb_typeof(item) <> 'object' then
    return 'an item must be an object with at least "content"';
  end if;
  select case
      when f.longest is null then format('unknown field "%s"', e.key)
      when jsonb_typeof(e.value) = 'null' then null
      when f.longest > 0 then case
        when jsonb_typeof(e.value) <> 'string' or char_length(e.value #>> '{}') not between 1 and f.longest
          then format('%s must be a text of 1 to %s characters', e.key, f.longest) end
      when e.key in ('importance', 'confidence') then case
        when jsonb_typeof(e.value) <> 'number' or (e.value #>> '{}')::numeric not between 0 and 1
          then format('%s must be a number from 0 to 1', e.key) end
    end
    into problem
    from jsonb_each(item) as e
    left join (values
      ('id', 36), ('agent_id', 255), ('user_id', 255), ('context_key', 500), ('kind', 20), ('speaker', 255),
      ('language', 63), ('slot', 500), ('trust', 20), ('visibility', 20), ('idempotency_key', 255),
      ('embedding_model', 255), ('content', 0), ('metadata', 0), ('importance', 0), ('confidence', 0),
      ('occurred_at', 0), ('valid_from', 0), ('valid_to', 0), ('expires_at', 0), ('embedding', 0)) as f (name, longest)
      on f.name = e.key
    order by 1 nulls last limit 1;
  return case
    when problem is not null then problem
    when jsonb_typeof(item -> 'content') is distinct from 'string' then 'content must be a text'
    when item ->> 'content' !~ '\S' then 'content is empty'
    when char_length(item ->> 'content') > 100000 then format(
      'content has %s characters, more than 100,000; split it', char_length(item ->> 'content'))
    when item ->> 'kind' not in ('message', 'fact', 'preference', 'event', 'procedure', 'summary')
      then 'kind must be message, fact, preference, event, procedure or summary'
    when item ->> 'trust' not in ('user', 'assistant', 'tool', 'document', 'inference')
      then 'trust must be user, assistant, tool, document or inference'
    when item ->> 'visibility' not in ('private', 'agent', 'organization')
      then 'visibility must be private, agent or organization'
    when not agent_memory.is_safe_json(coalesce(nullif(item -> 'metadata', 'null'), '{}'))
      then 'metadata must be an object of at most 64 KiB and 32 levels, with numbers from -1e300 to 1e300'
    -- The pattern takes as long as all the rest: it only finds words for what was refused already.
    when not agent_memory.is_storable(item ->> 'embedding') then case
      when item ->> 'embedding' !~ '^\[[-+0-9.eE, ]+\]$' then 'embedding must be an array of finite numbers'
      when (item ->> 'embedding_model') is null then 'embedding needs embedding_model'
      else 'embedding must hold numbers from -65504 to 65504, not all of them zero or nearly so' end
    when (item ->> 'embedding') is not null and (item ->> 'embedding_model') is null then 'embedding needs embedding_model'
  end;
end
$$;
comment on function agent_memory.refusal(jsonb) is 'Why an item can''t be remembered, by its fields alone; null if nothing is wrong.';

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
        case when reason is null then agent_memory.dedup_key(
          agent_id, user_id, context_key, slot, visibility, content,
          case when kind = 'message' then concat_ws(' ', trust, speaker) end,
          case when kind = 'message' then told_at end) end,
        embedding_model,
        coalesce(reason, case
          when content !~ '\S' then 'content is recalled memory and nothing else; it is remembered already'
          when mistimed is not null then format('%s must be a time in ISO 8601, such as 2026-11-23T10:15:00Z', mistimed)
          when valid_to < valid_from then 'valid_to lies before valid_from'
          when visibility = 'private' and user_id is null then 'a private memory needs a user_id'
          when not coalesce(agent_memory.may_write(
                 visibility, user_id, agent_id, caller.role, caller.person, caller.program), false)
            then format('%s may not write for agent %s and user %s', caller.role, agent_id, coalesce(user_id, '(none)'))
        end))::agent_memory.draft order by ordinal)
    from (
      select
        e.ordinal::integer as ordinal,
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
        case when r.reason is null then coalesce((e.item ->> 'importance')::real, 0.5) end as importance,
        case when r.reason is null then coalesce((e.item ->> 'confidence')::real, 1) end as confidence,
        coalesce(e.item ->> 'trust', 'user') as trust,
        coalesce(e.item ->> 'visibility', case
          -- About nobody it can't be private.
          when coalesce(e.item ->> 'user_id', caller.person) is null then coalesce(nullif(w.settings ->> 'visibility', 'private'), 'agent')
          else coalesce(w.settings ->> 'visibility', 'private') end) as visibility,
        coalesce(nullif(e.item -> 'metadata', 'null'), '{}') as metadata,
        t.occurred_at as told_at,
        coalesce(t.occurred_at, agent_memory.now()) as occurred_at,
        coalesce(t.valid_from, t.occurred_at, agent_memory.now()) as valid_from,
        t.valid_to, t.expires_at, t.mistimed,
        e.item ->> 'idempotency_key' as idempotency_key,
        e.item ->> 'embedding_model' as embedding_model,
        coalesce(r.reason, case when e.item ->> 'id' !~* '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' then 'id must be a UUID' end) as reason
      from jsonb_array_elements(memories) with ordinality as e (item, ordinal)
      cross join (select agent_memory.writers_settings(caller, memories) as by_agent offset 0) as writers
      cross join lateral (select writers.by_agent -> coalesce(e.item ->> 'agent_id', caller.program, 'default') as settings) as w
      cross join lateral (
        -- Nearly every item is an object of some of these fields, with nothing wrong: seen at once,
        -- without asking for the reason of a refusal, which takes ten times as long.
        select case when coalesce(
            jsonb_typeof(e.item) = 'object' and are_storable
            and e.item - '{content,kind,trust,visibility,agent_id,user_id,context_key,speaker,metadata,occurred_at,embedding,embedding_model}'::text[] = '{}'
            and jsonb_typeof(e.item -> 'content') = 'string'
            and char_length(e.item ->> 'content') <= 100000 and e.item ->> 'content' ~ '\S'
            and coalesce(e.item ->> 'kind' in ('message', 'fact', 'preference', 'event', 'procedure', 'summary'), not e.item ? 'kind')
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
        offset 0) as r (reason)
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
    ) as items);
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
        from unnest(drafts) as d where d.reason is null and d.language <> 'english' group by d.agent_id order by d.agent_id) as told
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
begin
  return query
  insert into public.ai_memories as m (
    organization_id, id, agent_id, user_id, context_id, kind, content, speaker, language, slot,
    importance, confidence, trust, visibility, metadata, occurred_at, valid_from, valid_to, expires_at,
    created_at, updated_at, idempotency_key, dedup_key, window_lexemes)
  select add_memories.organization_id, d.id, d.agent_id, d.user_id, c.id, d.kind, d.content, d.speaker,
    d.language, d.slot, d.importance, d.confidence, d.trust, d.visibility, d.metadata, d.occurred_at,
    d.valid_from, d.valid_to, d.expires_at, clock.now, clock.now, d.idempotency_key, d.dedup_key,
    w.window_lexemes
  from unnest(drafts) as d
  cross join (select agent_memory.now() as now offset 0) as clock
  left join public.ai_memory_contexts as c
    on c.organization_id = add_memories.organization_id and c.agent_id = d.agent_id
   and c.context_key = d.context_key and coalesce(c.user_id, '') = coalesce(d.user_id, '')
  left join agent_memory.windows(add_memories.organization_id, drafts) as w on w.ordinal = d.ordinal
  where d.reason is null
  order by d.dedup_key
  on conflict do nothing
  returning m.id;
end
$$;
comment on function agent_memory.add_memories(uuid, agent_memory.draft[]) is
  'Inserts the drafts that are not refused and returns the ids of those that were not there already. In the order of their keys, so that two writers never wait for each other in a circle.';

create or replace function agent_memory.existing(organization_id uuid, draft agent_memory.draft)
returns agent_memory.remembered_memory
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return (
    select case
      when m.id is null then row(draft.ordinal, null, 'rejected',
        'the same memory was being changed by another writer; send it again')::agent_memory.remembered_memory
      when m.dedup_key is distinct from draft.dedup_key then row(draft.ordinal, null, 'rejected', format(
        'the %s was used for another memory',
        case when m.id = draft.id then 'id' else 'idempotency key' end))::agent_memory.remembered_memory
      else row(draft.ordinal, m.id, 'duplicate',
        case when m.idempotency_key = draft.idempotency_key then 'the idempotency key was used before'
             else 'the same text is remembered already' end)::agent_memory.remembered_memory
    end
    from (select 1) as one
    left join lateral (
      select m.id, m.dedup_key, m.idempotency_key from public.ai_memories as m
      where m.organization_id = existing.organization_id
        and ((m.dedup_key = draft.dedup_key and m.superseded_by is null and m.forgotten_at is null)
             or (m.agent_id = draft.agent_id and m.idempotency_key = draft.idempotency_key)
             or m.id = draft.id)
      order by m.idempotency_key = draft.idempotency_key desc nulls last, m.id = draft.id desc
      limit 1) as m on true);
end
$$;
comment on function agent_memory.existing(uuid, agent_memory.draft) is
  'The answer for a draft that was not added: what stood in its way.';

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
  slotted agent_memory.draft;
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
  perform agent_memory.settle_languages(caller.organization_id, drafts);

  with added as materialized (
    select agent_memory.add_memories(caller.organization_id, array(
      select d from unnest(drafts) as d where d.slot is null)) as id
  )
  select array_agg(case
      when d.reason is not null then row(d.ordinal, null, 'rejected', d.reason)::agent_memory.remembered_memory
      when a.id is not null then row(d.ordinal, d.id, 'added', null)::agent_memory.remembered_memory
      else row(d.ordinal, null, null, null)::agent_memory.remembered_memory
    end)
    into answers
    from unnest(drafts) as d left join added as a on a.id = d.id;

  for slotted in
    select d.* from unnest(drafts) as d where d.slot is not null and d.reason is null order by d.slot, d.ordinal
  loop
    answers := answers || agent_memory.set_slot(caller, slotted);
  end loop;

  perform agent_memory.embed_added(caller.organization_id, drafts, vectors, array(
    select a.id from unnest(answers) as a where a.status in ('added', 'superseded')));
  return query
    select (case when a.status is null then agent_memory.existing(caller.organization_id, d) else a end).*
    from unnest(drafts) as d
    join unnest(answers) as a on a.ordinal = d.ordinal and (a.status is not null or d.slot is null)
    order by d.ordinal;
end
$$;
comment on function public.remember_memories(jsonb) is
  'Stores a list of memories in one transaction and answers for each item, in order. Fields of an item: content, and optionally id, agent_id, user_id, context_key, kind, speaker, language, slot, importance, confidence, trust, visibility, metadata, occurred_at, valid_from, valid_to, expires_at, idempotency_key, embedding with embedding_model. What the caller may not write, and what is malformed, is rejected with a reason; the other items are stored. Raises PM001, PM002, PM003, PM005, PM008.';
