-- Slots --------------------------------------------------------------------------------------
--
-- The values of a slot that are not forgotten stand in one order: by valid_from, of equal ones by created_at,
-- then by id. Each holds from its valid_from to its own end or to where the next one begins, whichever is
-- earlier; so it makes no difference in which order they are told, and a gap behind a stated end stays one.
-- Where the next one ends a value, superseded_by names it, and stated_valid_to keeps the value's own end, which
-- counts again when the next one moves. A value whose successor is forgotten or erased stays ended as it was:
-- that what came after is not to be recalled does not mean that what was before holds again.
--
-- The constraint ai_memories_one_slot_value holds everybody to this. The lock in find_place() is what spares
-- pgrecall's own writers from running into it.

select agent_memory.define_type('slot_value', '
  organization_id uuid, agent_id text, user_id text, slot text, id uuid, valid_from timestamptz, valid_to timestamptz, created_at timestamptz');
comment on type agent_memory.slot_value is
  'A value that is to stand in its slot, valid_to being its own end. Without valid_from it is to hold from now on; without created_at it is told now.';

select agent_memory.define_type('slot_place', '
  earlier uuid, later uuid, later_from timestamptz, anchor uuid, is_permitted boolean,
  valid_from timestamptz, valid_to timestamptz, superseded_by uuid, stated_valid_to timestamptz, created_at timestamptz,
  answer agent_memory.remembered_memory');
comment on type agent_memory.slot_place is
  'Where a value stands: between which two others, whether the caller may change these, which row was locked for it, and what the row of the value holds there; or the answer for one that is not to be written.';

create or replace function agent_memory.earlier_value(value agent_memory.slot_value)
returns table (id uuid, visibility text, valid_from timestamptz, created_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
    select m.id, m.visibility, m.valid_from, m.created_at
    from public.ai_memories as m
    where m.organization_id = value.organization_id and m.slot = value.slot and m.agent_id = value.agent_id
      and coalesce(m.user_id, '') = coalesce(value.user_id, '') and m.forgotten_at is null
      and m.id <> value.id
      and (m.valid_from, m.created_at, m.id) < (value.valid_from, coalesce(value.created_at, 'infinity'), value.id)
    order by m.valid_from desc, m.created_at desc, m.id desc limit 1;
end
$$;
comment on function agent_memory.earlier_value(agent_memory.slot_value) is 'The value of a slot that stands before another one.';

create or replace function agent_memory.later_value(value agent_memory.slot_value)
returns table (id uuid, visibility text, valid_from timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
    select m.id, m.visibility, m.valid_from
    from public.ai_memories as m
    where m.organization_id = value.organization_id and m.slot = value.slot and m.agent_id = value.agent_id
      and coalesce(m.user_id, '') = coalesce(value.user_id, '') and m.forgotten_at is null
      and m.id <> value.id
      and (m.valid_from, m.created_at, m.id) > (value.valid_from, coalesce(value.created_at, 'infinity'), value.id)
    order by m.valid_from, m.created_at, m.id limit 1;
end
$$;
comment on function agent_memory.later_value(agent_memory.slot_value) is 'The value of a slot that stands behind another one.';

create or replace function agent_memory.find_place(caller agent_memory.principal, value agent_memory.slot_value)
returns agent_memory.slot_place
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  is_from_now constant boolean := value.valid_from is null;
  -- Of the type slot_place, which pgspot's reader does not know the fields of.
  place record;
  around record;
  anchor uuid;
begin
  select (null::agent_memory.slot_place).* into place;
  loop
    if is_from_now then
      -- Never before a value that was written while this transaction went on.
      value.valid_from := agent_memory.now() + (clock_timestamp() - pg_catalog.now());
      value.valid_from := greatest(agent_memory.now(), (
        select e.valid_from + interval '1 microsecond' from agent_memory.earlier_value(value) as e));
    end if;
    select e.id as earlier, e.visibility as earlier_visibility, e.valid_from as earlier_from, e.created_at as earlier_created_at,
           l.id as later, l.visibility as later_visibility, l.valid_from as later_from
      into around
      from (select 1) as one
      left join agent_memory.earlier_value(value) as e on true
      left join agent_memory.later_value(value) as l on true;
    anchor := coalesce(around.earlier, around.later, (
      select m.id from public.ai_memories as m
      where m.organization_id = value.organization_id and m.slot = value.slot and m.agent_id = value.agent_id
        and coalesce(m.user_id, '') = coalesce(value.user_id, '') and m.id <> value.id
      order by m.valid_from, m.created_at, m.id limit 1));
    exit when anchor is not distinct from place.anchor;
    -- All who write between the same two values lock the same row. What another has written there until
    -- it gave up its lock, the next round sees.
    perform from public.ai_memories as m
      where m.organization_id = value.organization_id and m.id = anchor for no key update;
    place.anchor := anchor;
  end loop;
  place.earlier := around.earlier;
  place.later := around.later;
  place.later_from := around.later_from;
  place.is_permitted := not exists (
    select from (values (around.earlier, around.earlier_visibility), (around.later, around.later_visibility)) as v (id, visibility)
    where v.id is not null and not coalesce(agent_memory.may_write(
      v.visibility, value.user_id, value.agent_id, caller.role, caller.person, caller.program), false));
  place.valid_from := value.valid_from;
  if value.valid_to < value.valid_from and is_from_now then
    value.valid_to := value.valid_from;
  end if;
  place.superseded_by := case when coalesce(value.valid_to, 'infinity') >= around.later_from then around.later end;
  place.valid_to := case when place.superseded_by is null then value.valid_to else around.later_from end;
  place.stated_valid_to := case when place.superseded_by is not null then value.valid_to end;
  -- What is told later comes later in the order, too.
  place.created_at := coalesce(value.created_at, greatest(agent_memory.now(), case
    when around.earlier_from = value.valid_from then around.earlier_created_at + interval '1 microsecond' end));
  return place;
end
$$;
comment on function agent_memory.find_place(agent_memory.principal, agent_memory.slot_value) is
  'Where in its slot a value is to stand; others who would write there wait until the end of the transaction.';

create or replace function agent_memory.own_end(organization_id uuid, memory_id uuid, successor uuid default null)
returns timestamptz
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case when m.superseded_by = own_end.successor or s.forgotten_at is null and m.superseded_by is not null
    then m.stated_valid_to else m.valid_to end
  from public.ai_memories as m
  left join public.ai_memories as s on s.organization_id = m.organization_id and s.id = m.superseded_by
  where m.organization_id = own_end.organization_id and m.id = own_end.memory_id
$$;
comment on function agent_memory.own_end(uuid, uuid, uuid) is
  'Until when a value holds if none comes before: the end that was stated, or where it was ended by a value that is forgotten now and is not the successor to be.';

create or replace function agent_memory.settle_value(
  caller agent_memory.principal, memory_id uuid, successor uuid, successor_from timestamptz)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  own_end constant timestamptz := agent_memory.own_end(caller.organization_id, memory_id, successor);
  is_ended constant boolean := coalesce(coalesce(own_end, 'infinity') >= successor_from, false);
  value record;
begin
  select m.agent_id, m.user_id, m.visibility, m.valid_to, m.superseded_by, m.stated_valid_to,
         exists (select from public.ai_memories as s
                 where s.organization_id = m.organization_id and s.id = m.superseded_by and s.forgotten_at is not null) as is_cut
    into value
    from public.ai_memories as m
    where m.organization_id = caller.organization_id and m.id = settle_value.memory_id;
  if not is_ended and (value.superseded_by is null or value.is_cut and value.superseded_by is distinct from successor)
     or is_ended and (value.valid_to, value.superseded_by) is not distinct from (successor_from, successor) then
    return false;
  elsif not coalesce(agent_memory.may_write(
      value.visibility, value.user_id, value.agent_id, caller.role, caller.person, caller.program), false) then
    raise exception using errcode = 'PM002', message = 'the slot has values that this caller may not change';
  end if;
  with settled as (
    update public.ai_memories as m
    set valid_to = case when is_ended then successor_from else own_end end,
        superseded_by = case when is_ended then successor end,
        stated_valid_to = case when is_ended then own_end end,
        updated_at = agent_memory.now()
    where m.organization_id = caller.organization_id and m.id = settle_value.memory_id
    returning m.valid_to, m.superseded_by
  )
  insert into agent_memory.history as h (
    organization_id, memory_id, agent_id, user_id, visibility, change, changed_at, changed_by, before, after)
  select caller.organization_id, settle_value.memory_id, value.agent_id, value.user_id, value.visibility,
         case when is_ended then 'superseded' else 'updated' end, agent_memory.now(), caller.subject,
         jsonb_build_object('valid_to', value.valid_to, 'superseded_by', value.superseded_by),
         jsonb_build_object('valid_to', s.valid_to, 'superseded_by', s.superseded_by)
  from settled as s;
  return true;
end
$$;
comment on function agent_memory.settle_value(agent_memory.principal, uuid, uuid, timestamptz) is
  'Ends a value where the next one begins, or gives it back its own end; says whether that changed it. PM002 if the caller may not change it.';

create or replace function agent_memory.make_room(
  caller agent_memory.principal, memory_id uuid, valid_from timestamptz, valid_to timestamptz)
returns agent_memory.slot_place
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  place agent_memory.slot_place;
begin
  place := agent_memory.find_place(caller, (
    select row(m.organization_id, m.agent_id, m.user_id, m.slot, m.id,
               make_room.valid_from, make_room.valid_to, m.created_at)::agent_memory.slot_value
    from public.ai_memories as m
    where m.organization_id = caller.organization_id and m.id = memory_id));
  if not place.is_permitted then
    raise exception using errcode = 'PM002',
      message = format('memory %s can''t stand there: the slot has values that this caller may not change', memory_id);
  end if;
  -- What is to hold longer than before, has to wait until the memory has gone from there.
  perform agent_memory.settle_value(caller, m.id, memory_id, place.valid_from)
  from public.ai_memories as m
  where m.organization_id = caller.organization_id and m.id = place.earlier
    and (m.valid_to is null or m.valid_to > place.valid_from);
  return place;
end
$$;
comment on function agent_memory.make_room(agent_memory.principal, uuid, timestamptz, timestamptz) is
  'Where in its slot a memory is to stand with these times; what holds there now ends for it. release_values() goes with it, once the memory stands there. PM002 if the caller may not change its neighbours.';

create or replace function agent_memory.release_values(caller agent_memory.principal, successor uuid, earlier uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  ended uuid[];
  found uuid[];
  value record;
begin
  loop
    found := array(
      select m.id from public.ai_memories as m
      where m.organization_id = caller.organization_id and m.forgotten_at is null
        and (m.superseded_by = successor or m.id = earlier)
      order by m.id for no key update);
    exit when found = ended;
    ended := found;
  end loop;
  for value in
    select m.id, l.id as later, l.valid_from as later_from
    from public.ai_memories as m
    left join agent_memory.later_value(row(
      m.organization_id, m.agent_id, m.user_id, m.slot, m.id, m.valid_from, null, m.created_at)::agent_memory.slot_value) as l on true
    where m.organization_id = caller.organization_id and m.id = any (ended)
  loop
    perform agent_memory.settle_value(caller, value.id, value.later, value.later_from);
  end loop;
end
$$;
comment on function agent_memory.release_values(agent_memory.principal, uuid, uuid) is
  'After a value was moved: settles what it had ended where it stood, and the one that stands before it now. PM002 if the caller may not change these.';

create or replace function agent_memory.is_same_value(slot text, visibility text, content text, draft agent_memory.draft)
returns boolean
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(slot = draft.slot, false) and visibility = draft.visibility
    and (content = draft.content or agent_memory.plain_text(content) = agent_memory.plain_text(draft.content))
$$;
comment on function agent_memory.is_same_value(text, text, text, agent_memory.draft) is
  'Whether a memory is of the same slot as a draft, says the same and shows to the same.';

create or replace function agent_memory.known_value(
  caller agent_memory.principal, draft agent_memory.draft, is_from_now boolean, place agent_memory.slot_place)
returns uuid
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  stands_at constant timestamptz := case when is_from_now then (
    select m.valid_from from public.ai_memories as m
    where m.organization_id = caller.organization_id and m.id = place.earlier) else draft.valid_from end;
begin
  return (
    select m.id
    from public.ai_memories as m
    cross join lateral agent_memory.own_end(m.organization_id, m.id) as own (valid_to)
    where m.organization_id = caller.organization_id and m.slot = draft.slot and m.agent_id = draft.agent_id
      and coalesce(m.user_id, '') = coalesce(draft.user_id, '') and m.forgotten_at is null
      and m.valid_from = stands_at and agent_memory.is_same_value(m.slot, m.visibility, m.content, draft)
      and case
        when is_from_now then m.id = place.earlier and (m.valid_to is null or m.valid_to > place.valid_from)
          and (draft.valid_to is null or draft.valid_to = own.valid_to)
        else own.valid_to is not distinct from draft.valid_to
          and case when draft.created_at is null then own.valid_to = m.valid_from or m.valid_to is distinct from m.valid_from
                   else m.created_at = draft.created_at end end
    order by m.created_at desc limit 1);
end
$$;
comment on function agent_memory.known_value(agent_memory.principal, agent_memory.draft, boolean, agent_memory.slot_place) is
  'The value that a draft says once more: with the same words, for the same readers and, where times were told, for the same stretch of time; where none were, the one that holds now. An import that tells when a value was created means one of that time.';

create or replace function agent_memory.judge_value(caller agent_memory.principal, draft agent_memory.draft)
returns agent_memory.slot_place
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  is_from_now constant boolean := draft.valid_from = agent_memory.now();
  existing constant agent_memory.remembered_memory := agent_memory.existing(caller.organization_id, draft);
  -- Of the type slot_place, which pgspot's reader does not know the fields of.
  place record;
  known uuid;
begin
  select (null::agent_memory.slot_place).* into place;
  if existing.code <> 'contended' then
    place.answer := existing;
    return place;
  end if;
  place := agent_memory.find_place(caller, row(
    caller.organization_id, draft.agent_id, draft.user_id, draft.slot, draft.id,
    case when not is_from_now then draft.valid_from end, draft.valid_to, draft.created_at)::agent_memory.slot_value);
  -- A value that the caller could not change is neither ended nor shown by a new one.
  if not place.is_permitted then
    place.answer := row(draft.ordinal, null, 'rejected', 'not_permitted', 'the slot has values that this caller may not change');
    return place;
  end if;
  known := agent_memory.known_value(caller, draft, is_from_now, place);
  if known is not null then
    place.answer := row(draft.ordinal, known, 'duplicate', 'same_text', 'the same value is remembered already');
  end if;
  return place;
end
$$;
comment on function agent_memory.judge_value(agent_memory.principal, agent_memory.draft) is
  'Where a value of a slot is to stand, which is locked, or the answer for one that is not to be written.';

create or replace function agent_memory.set_slots(caller agent_memory.principal, drafts agent_memory.draft[])
returns agent_memory.remembered_memory[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  now constant timestamptz := agent_memory.now();
  answers agent_memory.remembered_memory[];
  place agent_memory.slot_place;
  -- Of the type draft.
  draft record;
  told record;
  has_ended boolean;
  -- The value that was written last, if it was ended for the one that is written now.
  ended uuid;
  unended uuid;
  next_from timestamptz;
begin
  for attempt in 1 .. 20 loop
    exit when drafts = '{}';
    begin
      answers := '{}';
      ended := null;
      -- A value is ended by one that is written after it.
      set constraints public.ai_memories_superseded_by_fk deferred;
      -- In one order for all writers, so that none waits for another in a circle.
      for told in
        select d as draft, lead(d) over slots as next
        from unnest(drafts) as d
        window slots as (partition by d.slot, d.agent_id, d.user_id order by d.valid_from, d.ordinal)
        order by d.slot, d.agent_id, d.user_id, d.valid_from, d.ordinal
      loop
        draft := told.draft;
        place := agent_memory.judge_value(caller, draft);
        if (place.answer).status is not null then
          answers := answers || place.answer;
          perform agent_memory.release_values(caller, draft.id, ended) where ended is not null;
          ended := null;
          continue;
        end if;
        has_ended := place.earlier is not null and agent_memory.settle_value(caller, place.earlier, draft.id, place.valid_from);
        draft.valid_from := place.valid_from;
        draft.valid_to := place.valid_to;
        draft.superseded_by := place.superseded_by;
        draft.stated_valid_to := place.stated_valid_to;
        draft.created_at := place.created_at;
        if place.earlier = ended then
          has_ended := true;
          insert into agent_memory.history as h (
            organization_id, memory_id, agent_id, user_id, visibility, change, changed_at, changed_by, before, after)
          select m.organization_id, m.id, m.agent_id, m.user_id, m.visibility, 'superseded', now, caller.subject,
                 jsonb_build_object('valid_to', m.stated_valid_to, 'superseded_by', null),
                 jsonb_build_object('valid_to', m.valid_to, 'superseded_by', m.superseded_by)
          from public.ai_memories as m
          where m.organization_id = caller.organization_id and m.id = ended and m.superseded_by = draft.id;
        end if;
        -- Written with the end that the next one of this call puts to it: each version of a row that held on
        -- would be in the way of all that follow, until this transaction ends.
        unended := case when place.earlier is distinct from ended then ended end;
        ended := null;
        next_from := (told.next).valid_from;
        if next_from = now then
          next_from := greatest(now, draft.valid_from + interval '1 microsecond');
        end if;
        if next_from > draft.valid_from and (draft.valid_to is null or draft.valid_to > next_from)
           and not agent_memory.is_same_value(draft.slot, draft.visibility, draft.content, told.next) then
          if draft.superseded_by is null then
            draft.stated_valid_to := draft.valid_to;
          end if;
          draft.valid_to := next_from;
          draft.superseded_by := (told.next).id;
          ended := draft.id;
        end if;
        if not exists (select from agent_memory.add_memories(caller.organization_id, array[draft])) then
          raise exclusion_violation;
        end if;
        perform agent_memory.release_values(caller, draft.id, unended) where unended is not null;
        answers := answers || case
          when place.later_from <= now or ended is not null and next_from <= now
            then row(draft.ordinal, draft.id, 'added', 'past_value', 'the slot has a later value; kept as its history')::agent_memory.remembered_memory
          when has_ended
            then row(draft.ordinal, draft.id, 'superseded', 'superseded', format('supersedes %s', place.earlier))::agent_memory.remembered_memory
          else row(draft.ordinal, draft.id, 'added', 'added', null)::agent_memory.remembered_memory
        end;
      end loop;
      set constraints public.ai_memories_superseded_by_fk immediate;
      return answers;
    exception
      when exclusion_violation or unique_violation or foreign_key_violation then
        answers := null;
    end;
  end loop;
  return array(select agent_memory.existing(caller.organization_id, d) from unnest(drafts) as d);
end
$$;
comment on function agent_memory.set_slots(agent_memory.principal, agent_memory.draft[]) is
  'Writes values of slots and answers for each. Of two writers of a slot at once one waits for the other; one who runs into the constraint all the same, since a value was written there that it could not see, begins again.';
