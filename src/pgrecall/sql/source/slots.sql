-- Slots --------------------------------------------------------------------------------------

create or replace function agent_memory.slot_values(organization_id uuid, draft agent_memory.draft)
returns table (id uuid, valid_from timestamptz, valid_to timestamptz, superseded_by uuid, visibility text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select m.id, m.valid_from, m.valid_to, m.superseded_by, m.visibility
  from public.ai_memories as m
  where m.organization_id = slot_values.organization_id and m.agent_id = draft.agent_id
    and m.slot = draft.slot and m.user_id is not distinct from draft.user_id and m.forgotten_at is null
$$;
comment on function agent_memory.slot_values(uuid, agent_memory.draft) is 'All values that the slot of a draft has had.';

create or replace function agent_memory.supersede(caller agent_memory.principal, draft agent_memory.draft)
returns agent_memory.remembered_memory
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  earlier record;
  later record;
begin
  select m.id, m.valid_from, m.valid_to, m.superseded_by into earlier
    from agent_memory.slot_values(caller.organization_id, draft) as m
    where m.valid_from <= draft.valid_from order by m.valid_from desc, m.id desc limit 1;
  select m.id, m.valid_from into later
    from agent_memory.slot_values(caller.organization_id, draft) as m
    where m.valid_from > draft.valid_from order by m.valid_from, m.id limit 1;
  draft.valid_to := least(draft.valid_to, later.valid_from);
  if earlier.id is not null then
    insert into agent_memory.history as h (
      organization_id, memory_id, agent_id, user_id, visibility, change, changed_at, changed_by, before, after)
    select m.organization_id, m.id, m.agent_id, m.user_id, m.visibility, 'superseded', agent_memory.now(), caller.subject,
           jsonb_build_object('valid_to', m.valid_to, 'superseded_by', m.superseded_by),
           jsonb_build_object('valid_to', least(m.valid_to, draft.valid_from), 'superseded_by', draft.id)
    from public.ai_memories as m
    where m.organization_id = caller.organization_id and m.id = earlier.id;
  end if;
  with ended as (
    update public.ai_memories as m
    set superseded_by = draft.id, valid_to = least(m.valid_to, draft.valid_from), updated_at = agent_memory.now()
    where m.organization_id = caller.organization_id and m.id = earlier.id
    returning m.id
  )
  insert into public.ai_memories as m (
    organization_id, id, agent_id, user_id, context_id, kind, content, speaker, language, slot,
    importance, confidence, trust, visibility, metadata, occurred_at, valid_from, valid_to, superseded_by,
    expires_at, created_at, updated_at, idempotency_key, dedup_key)
  select caller.organization_id, draft.id, draft.agent_id, draft.user_id,
    (select c.id from public.ai_memory_contexts as c
     where c.organization_id = caller.organization_id and c.agent_id = draft.agent_id
       and c.context_key = draft.context_key and coalesce(c.user_id, '') = coalesce(draft.user_id, '')),
    draft.kind, draft.content, draft.speaker, draft.language, draft.slot, draft.importance, draft.confidence, draft.trust,
    draft.visibility, draft.metadata, draft.occurred_at, draft.valid_from, draft.valid_to, later.id,
    draft.expires_at, agent_memory.now(), agent_memory.now(), draft.idempotency_key, draft.dedup_key
  from (select count(*) from ended) as after_the_update;
  return case when later.id is null
    then row(draft.ordinal, draft.id, 'superseded', format('supersedes %s', earlier.id))::agent_memory.remembered_memory
    else row(draft.ordinal, draft.id, 'added', 'the slot has a later value; kept as its history')::agent_memory.remembered_memory
  end;
end
$$;
comment on function agent_memory.supersede(agent_memory.principal, agent_memory.draft) is
  'Puts a value into its slot''s line of values by valid_from: the one before it ends where this one begins, and this one ends where the next one begins. The caller holds the lock on the slot''s current value.';

create or replace function agent_memory.set_slot(caller agent_memory.principal, draft agent_memory.draft)
returns agent_memory.remembered_memory
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  current record;
  answer agent_memory.remembered_memory;
begin
  for attempt in 1 .. 20 loop
    -- A row lock serialises the writers of a slot. A value that another transaction superseded
    -- while this one waited does not come back here; the next round finds its successor.
    select m.id, m.dedup_key, m.valid_from into current
      from public.ai_memories as m
      where m.organization_id = caller.organization_id and m.agent_id = draft.agent_id
        and m.slot = draft.slot and coalesce(m.user_id, '') = coalesce(draft.user_id, '')
        and m.superseded_by is null and m.forgotten_at is null
      for update;
    -- A value that the caller could not change is not ended by a new one, either.
    if exists (
        select from agent_memory.slot_values(caller.organization_id, draft) as v
        where not coalesce(agent_memory.may_write(
          v.visibility, draft.user_id, draft.agent_id, caller.role, caller.person, caller.program), false)) then
      return row(draft.ordinal, null, 'rejected', 'the slot has values that this caller may not change')::agent_memory.remembered_memory;
    end if;
    answer := agent_memory.existing(caller.organization_id, draft);
    if answer.status = 'duplicate' or answer.reason like '%was used for another memory' then
      return answer;
    elsif current.id is not null then
      if draft.valid_from = agent_memory.now() then
        -- Not told, so "from now on": never before the value that was written meanwhile.
        draft.valid_from := greatest(draft.valid_from, current.valid_from + interval '1 microsecond');
        draft.valid_to := case when draft.valid_to < draft.valid_from then draft.valid_from else draft.valid_to end;
      end if;
      return agent_memory.supersede(caller, draft);
    elsif exists (select from agent_memory.add_memories(caller.organization_id, array[draft])) then
      return row(draft.ordinal, draft.id, 'added', null)::agent_memory.remembered_memory;
    end if;
  end loop;
  return answer;
end
$$;
comment on function agent_memory.set_slot(agent_memory.principal, agent_memory.draft) is
  'Writes one value of a slot. Of two writers at once one waits for the other and supersedes its value.';
