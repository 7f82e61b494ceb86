-- Changing -----------------------------------------------------------------------------------

select agent_memory.define_type('memory_change', '
  memory_id uuid, change text, changed_at timestamptz, changed_by text, content text, before jsonb, after jsonb');
comment on type agent_memory.memory_change is
  'One step in the life of a memory or of its slot: added, updated, superseded, forgotten or restored; content is the memory''s as it is now.';

do $tables$
begin
  if pg_catalog.to_regclass('agent_memory.history') is null then
    create table agent_memory.history (
      organization_id uuid not null,
      memory_id uuid not null,
      id uuid not null default agent_memory.uuid_v7(),
      agent_id text not null,
      user_id text,
      visibility text not null,
      change text not null check (change in ('updated', 'superseded', 'forgotten', 'restored')),
      changed_at timestamptz not null default agent_memory.now(),
      changed_by text not null,
      before jsonb not null,
      after jsonb not null,
      primary key (organization_id, memory_id, id),
      constraint history_memory_fk foreign key (organization_id, memory_id)
        references public.ai_memories (organization_id, id) on delete cascade
    );
    alter table agent_memory.history enable row level security;
  end if;
end
$tables$;
comment on table agent_memory.history is 'The changes of memories: the fields that changed, before and after, and who changed them.';
comment on column agent_memory.history.changed_by is 'The member who changed it, as in agent_memory.members.user_id.';
comment on column agent_memory.history.before is 'The changed fields with their earlier values.';
comment on column agent_memory.history.after is 'The same fields with their later values; of a superseded memory, valid_to and superseded_by.';

create or replace function public.memory_history(memory_id uuid)
returns setof agent_memory.memory_change
language sql stable parallel safe security definer
set search_path = pg_catalog, pg_temp
as $$
  with life as materialized (
    select m.organization_id, m.id, m.content, m.created_at, caller.person, caller.program
    from agent_memory.principal() as caller
    join public.ai_memories as asked
      on asked.organization_id = caller.reads and asked.id = memory_history.memory_id
    join public.ai_memories as m
      on m.organization_id = caller.organization_id
     and (m.id = asked.id
          or (m.slot = asked.slot and m.agent_id = asked.agent_id
              and m.user_id is not distinct from asked.user_id))
    where agent_memory.may_read(asked.visibility, asked.user_id, asked.agent_id, caller.person, caller.program)
      and agent_memory.may_read(m.visibility, m.user_id, m.agent_id, caller.person, caller.program)
  )
  select l.id, 'added', l.created_at, null::text, l.content, '{}'::jsonb, '{}'::jsonb from life as l
  union all
  select l.id, h.change, h.changed_at, h.changed_by, l.content, h.before, h.after
  from life as l
  join agent_memory.history as h on h.organization_id = l.organization_id and h.memory_id = l.id
   and agent_memory.may_read(h.visibility, h.user_id, h.agent_id, l.person, l.program)
  order by 3, 2, 1
$$;
comment on function public.memory_history(uuid) is
  'What happened to a memory, oldest first; for a memory with a slot, to all values that the slot has had. A change from before it was shared shows to those alone who could see it then. Empty if there is no such memory that the caller may read.';

-- Updating ------------------------------------------------------------------------------------

create or replace function agent_memory.check_changes(memory public.ai_memories, changes jsonb)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  field text;
  refusal agent_memory.problem;
begin
  if jsonb_typeof(changes) is distinct from 'object' then
    raise exception using errcode = 'PM003', message = 'changes must be an object of fields and their new values';
  end if;
  for field in select jsonb_object_keys(changes) loop
    if field not in ('content', 'kind', 'importance', 'confidence', 'visibility', 'metadata', 'occurred_at',
                     'valid_from', 'valid_to', 'expires_at', 'embedding', 'embedding_model', 'piece_embeddings') then
      raise exception using errcode = 'PM003', message = format('field "%s" can''t be changed', field),
        hint = 'content, kind, importance, confidence, visibility, metadata, occurred_at, valid_from, valid_to and expires_at can.';
    elsif field in ('occurred_at', 'valid_from', 'valid_to', 'expires_at')
          and agent_memory.parse_time(changes -> field) is null
          and not (field in ('valid_to', 'expires_at') and changes -> field = 'null') then
      raise exception using errcode = 'PM003', message = format('%s must be a time in ISO 8601', field);
    elsif changes -> field = 'null' and field not in ('valid_to', 'expires_at') then
      raise exception using errcode = 'PM003', message = format('%s can''t be emptied', field);
    end if;
  end loop;
  refusal := agent_memory.refusal(jsonb_build_object('content', memory.content) || changes);
  if refusal.code is not null then
    raise exception using errcode = case when refusal.code = 'too_long' then 'PM008' else 'PM003' end, message = refusal.reason;
  elsif changes ->> 'visibility' = 'private' and memory.user_id is null then
    raise exception using errcode = 'PM003', message = 'a private memory needs a user_id';
  end if;
end
$$;
comment on function agent_memory.check_changes(public.ai_memories, jsonb) is
  'Raises PM003 or PM008 if a memory can''t be changed in this way.';

create or replace function agent_memory.lock_memory(
  caller agent_memory.principal, memory_id uuid, with_conversation boolean)
returns public.ai_memories
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  memory public.ai_memories;
begin
  -- Once to know that it may be locked, and once for what was changed while this waited for it.
  for attempt in 1 .. 2 loop
    select * into memory from public.ai_memories as m
      where m.organization_id = caller.organization_id and m.id = memory_id
        and agent_memory.may_read(m.visibility, m.user_id, m.agent_id, caller.person, caller.program);
    if memory.id is null then
      raise exception using errcode = 'PM004', message = format('no memory %s', memory_id),
        hint = 'It was erased, never existed, or this caller may not see it.';
    elsif not coalesce(agent_memory.may_write(
        memory.visibility, memory.user_id, memory.agent_id, caller.role, caller.person, caller.program), false) then
      raise exception using errcode = 'PM002', message = format('%s may not change memory %s', caller.role, memory_id);
    end if;
    perform agent_memory.lock_memories(caller.organization_id, array[memory_id], with_conversation) where attempt = 1;
  end loop;
  return memory;
end
$$;
comment on function agent_memory.lock_memory(agent_memory.principal, uuid, boolean) is
  'The memory, locked for a change, if asked with its conversation; PM004 if the caller may not see it, PM002 if it may not change it.';

create or replace function public.update_memory(memory_id uuid, changes jsonb)
returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
-- A time without a zone is UTC for every client.
set timezone = 'UTC'
as $$
declare
  caller agent_memory.principal := agent_memory.require_writer('remember');
  old public.ai_memories := agent_memory.lock_memory(
    caller, memory_id, changes ?| array['content', 'occurred_at', 'kind', 'visibility']);
  -- A row of ai_memories, which pgspot's reader does not know the fields of.
  new record;
  is_moved constant boolean := old.slot is not null and changes ?| array['valid_from', 'valid_to'];
  place agent_memory.slot_place;
begin
  perform agent_memory.check_changes(old, changes);
  if changes ? 'content' then
    changes := changes || jsonb_build_object('content', agent_memory.without_recalled(changes ->> 'content'));
  end if;
  new := jsonb_populate_record(old, changes - array['embedding', 'embedding_model', 'piece_embeddings']);
  if is_moved and not changes ? 'valid_to' then
    new.valid_to := agent_memory.own_end(caller.organization_id, memory_id);
  end if;
  if not coalesce(agent_memory.may_write(
      new.visibility, new.user_id, new.agent_id, caller.role, caller.person, caller.program), false) then
    raise exception using errcode = 'PM002', message = format('%s may not give memory %s this visibility', caller.role, memory_id);
  elsif new.valid_to < new.valid_from then
    raise exception using errcode = 'PM003', message = 'valid_to lies before valid_from';
  elsif new.content !~ '\S' then
    raise exception using errcode = 'PM003', message = 'content is recalled memory and nothing else; it is remembered already';
  end if;
  -- What named no language is read anew; where its new words say nothing of it, it stays.
  if new.content <> old.content and old.language = coalesce(agent_memory.detected_language(old.content), 'english')
     and not agent_memory.effective_settings(caller.organization_id, old.agent_id) ? 'language' then
    new.language := coalesce(agent_memory.detected_language(new.content), old.language);
    perform agent_memory.settle_languages(caller.organization_id, array[jsonb_populate_record(
      null::agent_memory.draft, jsonb_build_object('agent_id', old.agent_id, 'language', new.language))]);
  end if;
  if is_moved then
    if old.forgotten_at is null then
      place := agent_memory.make_room(caller, new.id, new.valid_from, new.valid_to);
      new.valid_to := place.valid_to;
    end if;
    new.superseded_by := place.superseded_by;
    new.stated_valid_to := place.stated_valid_to;
  end if;
  if (new.content, new.visibility, new.kind, new.occurred_at, new.valid_from, new.valid_to, new.expires_at)
       is distinct from (old.content, old.visibility, old.kind, old.occurred_at, old.valid_from, old.valid_to, old.expires_at) then
    new.dedup_key := case when coalesce(least(new.valid_to, new.expires_at) > agent_memory.now(), true) then agent_memory.text_key(
      new.agent_id, new.user_id, (
        select c.context_key from public.ai_memory_contexts as c
        where c.organization_id = new.organization_id and c.id = new.context_id),
      new.slot, new.visibility, new.content, new.kind, new.trust, new.speaker, new.occurred_at) end;
    perform agent_memory.release_texts(
      caller.organization_id, array_remove(array[new.dedup_key], old.dedup_key), new.valid_from <= agent_memory.now());
  end if;
  update public.ai_memories as m
  set content = new.content, language = new.language, kind = new.kind, importance = new.importance, confidence = new.confidence,
      visibility = new.visibility, metadata = new.metadata, occurred_at = new.occurred_at,
      valid_from = new.valid_from, valid_to = new.valid_to, superseded_by = new.superseded_by,
      stated_valid_to = new.stated_valid_to, expires_at = new.expires_at,
      updated_at = agent_memory.now(),
      dedup_key = new.dedup_key
  where m.organization_id = caller.organization_id and m.id = memory_id;
  if is_moved and old.forgotten_at is null then
    perform agent_memory.release_values(caller, memory_id, place.earlier);
  end if;
  insert into agent_memory.history as h (
    organization_id, memory_id, agent_id, user_id, visibility, change, changed_at, changed_by, before, after)
  select caller.organization_id, memory_id, old.agent_id, old.user_id,
         -- Who may read the new words need not have been meant to read the old ones.
         case when agent_memory.openness(new.visibility) < agent_memory.openness(old.visibility) then new.visibility else old.visibility end,
         'updated', agent_memory.now(),
         caller.subject, jsonb_object_agg(field, to_jsonb(old) -> field), jsonb_object_agg(field, to_jsonb(new) -> field)
  from jsonb_object_keys(changes - array['embedding', 'embedding_model', 'piece_embeddings']
    || '{"language": 0, "valid_to": 0, "superseded_by": 0, "stated_valid_to": 0}') as field
  where to_jsonb(old) -> field is distinct from to_jsonb(new) -> field
  having count(*) > 0;
  update agent_memory.history as h set visibility = new.visibility
  where h.organization_id = caller.organization_id and h.memory_id = update_memory.memory_id
    and agent_memory.openness(h.visibility) > agent_memory.openness(new.visibility);
  if new.content <> old.content then
    perform agent_memory.drop_embeddings(caller.organization_id, memory_id);
    perform agent_memory.index_pieces(caller.organization_id, array[memory_id]);
  end if;
  if changes ? 'embedding' then
    perform agent_memory.add_vectors(
      caller.organization_id, old.agent_id, changes ->> 'embedding_model', array_agg(memory_id),
      array_agg(row(v.vector)::agent_memory.vector_value), array_agg(v.place::integer - 1))
    from unnest(agent_memory.item_vectors(changes)) with ordinality as v (vector, place);
  end if;
  if old.context_id is not null and (new.content, new.occurred_at, new.kind, new.visibility)
       is distinct from (old.content, old.occurred_at, old.kind, old.visibility) then
    perform agent_memory.refresh_windows(caller.organization_id, array[old.context_id]);
  end if;
  return memory_id;
exception
  when unique_violation then
    raise exception using errcode = 'PM007', message = 'another memory with this text is there already',
      hint = 'Forget one of the two.';
  when exclusion_violation then
    raise exception using errcode = 'PM007', message = 'another value of this slot was being written', hint = 'Do it again.';
end
$$;
comment on function public.update_memory(uuid, jsonb) is
  'Corrects fields of one memory; the earlier values stay in its history. Of a value of a slot, valid_from and valid_to may be any: its neighbours end, and hold on, accordingly. New content needs a new embedding, given in the same call, or has none. Raises PM001 to PM005, PM007, PM008.';

create or replace function agent_memory.restore_value(caller agent_memory.principal, memory_id uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  place agent_memory.slot_place;
begin
  place := agent_memory.make_room(caller, memory_id, (
      select m.valid_from from public.ai_memories as m where m.organization_id = caller.organization_id and m.id = memory_id),
    agent_memory.own_end(caller.organization_id, memory_id));
  update public.ai_memories as m
  set forgotten_at = null, valid_to = place.valid_to, superseded_by = place.superseded_by,
      stated_valid_to = place.stated_valid_to, updated_at = agent_memory.now()
  where m.organization_id = caller.organization_id and m.id = memory_id;
  perform agent_memory.release_values(caller, memory_id, place.earlier);
end
$$;
comment on function agent_memory.restore_value(agent_memory.principal, uuid) is
  'Brings a forgotten value of a slot back to where it stands among those that are there now. PM002 if the caller may not change its neighbours.';

create or replace function agent_memory.mark_forgotten(caller agent_memory.principal, ids uuid[], forget boolean)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into agent_memory.history as h (
    organization_id, memory_id, agent_id, user_id, visibility, change, changed_at, changed_by, before, after)
  select m.organization_id, m.id, m.agent_id, m.user_id, m.visibility,
         case when forget then 'forgotten' else 'restored' end, agent_memory.now(), caller.subject,
         jsonb_build_object('forgotten_at', m.forgotten_at),
         jsonb_build_object('forgotten_at', case when forget then agent_memory.now() end)
  from public.ai_memories as m
  where m.organization_id = caller.organization_id and m.id = any (ids);
  if not forget then
    -- The same text may be there again, as long as only one of the two can be recalled.
    perform agent_memory.release_texts(caller.organization_id, array_agg(m.dedup_key), is_valid)
    from public.ai_memories as m
    cross join lateral (select m.valid_from <= agent_memory.now()) as v (is_valid)
    where m.organization_id = caller.organization_id and m.id = any (ids) and m.dedup_key is not null
    group by is_valid;
  end if;
  update public.ai_memories as m
  set forgotten_at = case when forget then agent_memory.now() end, updated_at = agent_memory.now(),
      dedup_key = case when forget or coalesce(least(m.valid_to, m.expires_at), 'infinity') > agent_memory.now() then m.dedup_key end
  where m.organization_id = caller.organization_id and m.id = any (ids) and (forget or m.slot is null);
  if not forget then
    perform agent_memory.restore_value(caller, v.id)
    from (select m.id from public.ai_memories as m
          where m.organization_id = caller.organization_id and m.id = any (ids) and m.slot is not null
          order by m.slot, m.agent_id, m.user_id, m.valid_from, m.created_at, m.id) as v;
  end if;
  perform agent_memory.refresh_windows(caller.organization_id, array(
    select distinct m.context_id from public.ai_memories as m
    where m.organization_id = caller.organization_id and m.id = any (ids)
      and m.kind = 'message' and m.context_id is not null));
end
$$;
comment on function agent_memory.mark_forgotten(agent_memory.principal, uuid[], boolean) is
  'Takes memories, which the caller holds locked and may change, out of recall, or brings them back, with their history.';

create or replace function agent_memory.set_forgotten(scope jsonb, dry_run boolean, forget boolean)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  caller agent_memory.principal := agent_memory.require_writer('forget');
  ids uuid[] := agent_memory.in_scope(caller, scope, not forget);
begin
  if not dry_run and ids <> '{}' then
    perform agent_memory.mark_forgotten(caller, ids, forget);
  end if;
  return jsonb_build_object('memories', cardinality(ids), 'dry_run', dry_run);
exception
  when unique_violation then
    raise exception using errcode = 'PM007',
      message = format('memory %s can''t come back: the same text was remembered again', (
        select m.id
        from unnest(ids) with ordinality as i (id, place)
        join public.ai_memories as m on m.organization_id = caller.organization_id and m.id = i.id
        where exists (
          select from public.ai_memories as o
          where o.organization_id = m.organization_id and o.dedup_key = m.dedup_key and o.id <> m.id
            and (o.forgotten_at is null or o.id = any (ids[:i.place])))
        order by i.place limit 1)),
      hint = 'Forget the newer one first.';
  when exclusion_violation then
    raise exception using errcode = 'PM007', message = 'values of a slot of this scope were being written', hint = 'Do it again.';
end
$$;
comment on function agent_memory.set_forgotten(jsonb, boolean, boolean) is 'What forget_memories() and restore_memories() have in common.';

create or replace function public.forget_memories(scope jsonb, dry_run boolean default false)
returns jsonb
language sql security definer
set search_path = pg_catalog, pg_temp
as $$ select agent_memory.set_forgotten(scope, coalesce(dry_run, false), true) $$;
comment on function public.forget_memories(jsonb, boolean) is
  'Takes the memories that a scope names out of recall; restore_memories() brings them back. A scope holds at least one of ids, user_id, agent_id, context_key; all that it holds must match. Answers {"memories": count, "dry_run": ...}. Raises PM001, PM002, PM006.';

create or replace function public.restore_memories(scope jsonb, dry_run boolean default false)
returns jsonb
language sql security definer
set search_path = pg_catalog, pg_temp
as $$ select agent_memory.set_forgotten(scope, coalesce(dry_run, false), false) $$;
comment on function public.restore_memories(jsonb, boolean) is
  'Brings forgotten memories that a scope names back into recall; a value of a slot to its own stretch of time, between those that are there now. Answers as forget_memories() does. Raises PM001, PM002, PM006, PM007.';

create or replace function public.memory_changes(ids uuid[])
returns table (memory_id uuid, change text, changed_at timestamptz, changed_by text, before jsonb, after jsonb)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  caller constant agent_memory.principal := agent_memory.require_member('recall');
begin
  return query
    select h.memory_id, h.change, h.changed_at, h.changed_by, h.before, h.after
    from agent_memory.history as h
    where h.organization_id = caller.organization_id and h.memory_id = any (memory_changes.ids)
      and agent_memory.may_read(h.visibility, h.user_id, h.agent_id, caller.person, caller.program)
    order by h.memory_id, h.id;
end
$$;
comment on function public.memory_changes(uuid[]) is
  'What was changed of some memories, those changes that the caller may see, oldest first for each. Raises PM001, PM002.';
