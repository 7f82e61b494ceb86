-- pgrecall: changing, forgetting and restoring memories.
--
--   update_memory(uuid, jsonb)       corrects fields of one memory
--   forget_memories(jsonb, boolean)  takes memories out of recall, reversibly
--   restore_memories(jsonb, boolean) takes that back
--
-- Each change is a row of ai_memory_history. A change of a message's words, or of whether it is
-- there, also changes what the messages after it are found by: refresh_windows().

-- Names below resolve to what they say, whatever the session's path was.
set search_path = pg_catalog, pg_temp;

create or replace function agent_memory.lock_conversations(organization_id uuid, context_ids uuid[])
returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return array(
    select c.id from public.ai_memory_contexts as c
    where c.organization_id = lock_conversations.organization_id and c.id = any (context_ids)
    order by c.id for update);
end
$$;
comment on function agent_memory.lock_conversations(uuid, uuid[]) is
  'Waits for those who are writing to some conversations, and keeps further ones waiting until the end of the transaction. Answers those that are there still.';

create or replace function agent_memory.refresh_windows(organization_id uuid, context_ids uuid[])
returns bigint
language sql
set search_path = pg_catalog, pg_temp
as $$
  -- Else a writer, or another refresh, would put words back that it saw before they went.
  select agent_memory.lock_conversations(refresh_windows.organization_id, context_ids);
  with windowed as (
    select m.id, setweight(
        case when lag(m.openness, 3) over before >= m.openness then lag(m.lexemes, 3) over before else '' end
        || case when lag(m.openness, 2) over before >= m.openness then lag(m.lexemes, 2) over before else '' end
        || case when lag(m.openness, 1) over before >= m.openness then lag(m.lexemes, 1) over before else '' end, 'C') as lexemes
    from (select m.*, agent_memory.openness(m.visibility) as openness, ts_filter(m.search_vector, '{a}') as lexemes
          from public.ai_memories as m) as m
    where m.organization_id = refresh_windows.organization_id and m.context_id = any (context_ids)
      and m.kind = 'message' and m.forgotten_at is null
    window before as (partition by m.context_id order by m.occurred_at, m.id)
  ), changed as (
    update public.ai_memories as m
    set window_lexemes = w.lexemes
    from windowed as w
    where m.organization_id = refresh_windows.organization_id and m.id = w.id
      and m.window_lexemes is distinct from w.lexemes
    returning m.id
  )
  select count(*) from changed
$$;
comment on function agent_memory.refresh_windows(uuid, uuid[]) is
  'Makes the windows of all messages of some conversations anew, and says how many changed.';

-- Updating ------------------------------------------------------------------------------------

create or replace function agent_memory.check_changes(memory public.ai_memories, changes jsonb)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  field text;
  refusal text;
begin
  if jsonb_typeof(changes) is distinct from 'object' then
    raise exception using errcode = 'PM003', message = 'changes must be an object of fields and their new values';
  end if;
  for field in select jsonb_object_keys(changes) loop
    if field not in ('content', 'kind', 'importance', 'confidence', 'visibility', 'metadata', 'occurred_at',
                     'valid_from', 'valid_to', 'expires_at', 'embedding', 'embedding_model') then
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
  if refusal is not null then
    raise exception using errcode = case when refusal like '%more than 100,000%' then 'PM008' else 'PM003' end, message = refusal;
  elsif changes ->> 'visibility' = 'private' and memory.user_id is null then
    raise exception using errcode = 'PM003', message = 'a private memory needs a user_id';
  end if;
end
$$;
comment on function agent_memory.check_changes(public.ai_memories, jsonb) is
  'Raises PM003 or PM008 if a memory can''t be changed in this way.';

create or replace function agent_memory.lock_memory(caller agent_memory.principal, memory_id uuid)
returns public.ai_memories
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  memory public.ai_memories;
begin
  select * into memory from public.ai_memories as m
    where m.organization_id = caller.organization_id and m.id = memory_id
      and agent_memory.may_read(m.visibility, m.user_id, m.agent_id, caller.person, caller.program)
    for update;
  if memory.id is null then
    raise exception using errcode = 'PM004', message = format('no memory %s', memory_id),
      hint = 'It was erased, never existed, or this caller may not see it.';
  elsif not coalesce(agent_memory.may_write(
      memory.visibility, memory.user_id, memory.agent_id, caller.role, caller.person, caller.program), false) then
    raise exception using errcode = 'PM002', message = format('%s may not change memory %s', caller.role, memory_id);
  end if;
  return memory;
end
$$;
comment on function agent_memory.lock_memory(agent_memory.principal, uuid) is
  'The memory, locked for a change; PM004 if the caller may not see it, PM002 if it may not change it.';

create or replace function public.update_memory(memory_id uuid, changes jsonb)
returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller agent_memory.principal := agent_memory.require_writer('remember');
  old public.ai_memories := agent_memory.lock_memory(caller, memory_id);
  new public.ai_memories;
begin
  perform agent_memory.check_changes(old, changes);
  if changes ? 'content' then
    changes := changes || jsonb_build_object('content', agent_memory.without_recalled(changes ->> 'content'));
  end if;
  new := jsonb_populate_record(old, changes - array['embedding', 'embedding_model']);
  if not coalesce(agent_memory.may_write(
      new.visibility, new.user_id, new.agent_id, caller.role, caller.person, caller.program), false) then
    raise exception using errcode = 'PM002', message = format('%s may not give memory %s this visibility', caller.role, memory_id);
  elsif new.valid_to < new.valid_from then
    raise exception using errcode = 'PM003', message = 'valid_to lies before valid_from';
  elsif new.content !~ '\S' then
    raise exception using errcode = 'PM003', message = 'content is recalled memory and nothing else; it is remembered already';
  end if;
  update public.ai_memories as m
  set content = new.content, kind = new.kind, importance = new.importance, confidence = new.confidence,
      visibility = new.visibility, metadata = new.metadata, occurred_at = new.occurred_at,
      valid_from = new.valid_from, valid_to = new.valid_to, expires_at = new.expires_at,
      updated_at = agent_memory.now(),
      dedup_key = case when (new.content, new.visibility) = (old.content, old.visibility) then old.dedup_key else agent_memory.dedup_key(
        old.agent_id, old.user_id,
        (select c.context_key from public.ai_memory_contexts as c
         where c.organization_id = old.organization_id and c.id = old.context_id),
        old.slot, new.visibility, new.content, case when new.kind = 'message' then concat_ws(' ', new.trust, new.speaker) end,
        case when new.kind = 'message' then new.occurred_at end) end
  where m.organization_id = caller.organization_id and m.id = memory_id;
  insert into public.ai_memory_history as h (
    organization_id, memory_id, agent_id, user_id, visibility, change, changed_at, changed_by, before, after)
  select caller.organization_id, memory_id, old.agent_id, old.user_id,
         -- Who may read the new words need not have been meant to read the old ones.
         case when agent_memory.openness(new.visibility) < agent_memory.openness(old.visibility) then new.visibility else old.visibility end,
         'updated', agent_memory.now(),
         caller.subject, jsonb_object_agg(field, to_jsonb(old) -> field), jsonb_object_agg(field, to_jsonb(new) -> field)
  from jsonb_object_keys(changes - array['embedding', 'embedding_model']) as field
  where to_jsonb(old) -> field is distinct from to_jsonb(new) -> field
  having count(*) > 0;
  update public.ai_memory_history as h set visibility = new.visibility
  where h.organization_id = caller.organization_id and h.memory_id = update_memory.memory_id
    and agent_memory.openness(h.visibility) > agent_memory.openness(new.visibility);
  if new.content <> old.content then
    perform agent_memory.drop_embeddings(caller.organization_id, memory_id);
  end if;
  if changes ? 'embedding' and agent_memory.has_vector() then
    perform agent_memory.settle_model(caller.organization_id, old.agent_id, changes ->> 'embedding_model',
      length(changes ->> 'embedding') - length(replace(changes ->> 'embedding', ',', '')) + 1);
    perform agent_memory.store_embeddings(
      caller.organization_id, changes ->> 'embedding_model', array[memory_id],
      agent_memory.read_vectors(array[changes ->> 'embedding']));
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
end
$$;
comment on function public.update_memory(uuid, jsonb) is
  'Corrects fields of one memory; the earlier values stay in its history. New content needs a new embedding, given in the same call, or has none. Raises PM001 to PM005, PM007, PM008.';

-- Forgetting ----------------------------------------------------------------------------------

create or replace function agent_memory.scope_ids(scope jsonb)
returns uuid[]
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  if jsonb_typeof(scope) is distinct from 'object' or not scope ?| array['ids', 'user_id', 'agent_id', 'context_key']
     or scope - array['ids', 'user_id', 'agent_id', 'context_key'] <> '{}'
     or jsonb_path_exists(scope, '$.* ? (@ == null)') or jsonb_path_exists(scope, '$.* ? (@ == "")') then
    raise exception using errcode = 'PM006',
      message = 'a scope names at least one of ids, user_id, agent_id, context_key, each with a value, and nothing else',
      hint = 'There is no scope for everything: name the user, agent or context.';
  elsif not scope ? 'ids' then
    return null;
  elsif jsonb_typeof(scope -> 'ids') <> 'array'
        or jsonb_path_exists(scope, 'strict $.ids[*] ? (@.type() != "string" || !(@ like_regex "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"))') then
    raise exception using errcode = 'PM006', message = 'ids must be an array of UUIDs';
  end if;
  return array(select distinct i::uuid from jsonb_array_elements_text(scope -> 'ids') as i order by 1);
end
$$;
comment on function agent_memory.scope_ids(jsonb) is
  'The ids that a scope names, in order; null if it names none. PM006 for a scope that names nothing, or anything else.';

create or replace function agent_memory.in_scope(caller agent_memory.principal, scope jsonb, is_forgotten boolean)
returns setof uuid
language plpgsql
set search_path = pg_catalog, pg_temp
-- For each scope the index of what it names.
set plan_cache_mode = force_custom_plan
as $$
declare
  ids constant uuid[] := agent_memory.scope_ids(scope);
  contexts constant uuid[] := array(
    select c.id from public.ai_memory_contexts as c
    where c.organization_id = caller.organization_id and c.context_key = scope ->> 'context_key');
begin
  return query
    select m.id from public.ai_memories as m
    where m.organization_id = caller.organization_id
      and (m.forgotten_at is not null) = is_forgotten
      and (ids is null or m.id = any (ids))
      and (not scope ? 'user_id' or m.user_id = scope ->> 'user_id')
      and (not scope ? 'agent_id' or m.agent_id = scope ->> 'agent_id')
      and (not scope ? 'context_key' or m.context_id = any (contexts))
      and agent_memory.may_read(m.visibility, m.user_id, m.agent_id, caller.person, caller.program)
      and agent_memory.may_write(m.visibility, m.user_id, m.agent_id, caller.role, caller.person, caller.program)
    order by m.id
    for update;
end
$$;
comment on function agent_memory.in_scope(agent_memory.principal, jsonb, boolean) is
  'The memories, locked, that a scope names and that the caller may change; PM006 for a scope that names nothing.';

create or replace function agent_memory.mark_forgotten(caller agent_memory.principal, ids uuid[], forget boolean)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into public.ai_memory_history as h (
    organization_id, memory_id, agent_id, user_id, visibility, change, changed_at, changed_by, before, after)
  select m.organization_id, m.id, m.agent_id, m.user_id, m.visibility,
         case when forget then 'forgotten' else 'restored' end, agent_memory.now(), caller.subject,
         jsonb_build_object('forgotten_at', m.forgotten_at),
         jsonb_build_object('forgotten_at', case when forget then agent_memory.now() end)
  from public.ai_memories as m
  where m.organization_id = caller.organization_id and m.id = any (ids);
  update public.ai_memories as m
  set forgotten_at = case when forget then agent_memory.now() end, updated_at = agent_memory.now()
  where m.organization_id = caller.organization_id and m.id = any (ids);
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
  ids uuid[] := array(select agent_memory.in_scope(caller, scope, not forget));
begin
  if not dry_run and ids <> '{}' then
    perform agent_memory.mark_forgotten(caller, ids, forget);
  end if;
  return jsonb_build_object('memories', cardinality(ids), 'dry_run', dry_run);
exception
  when unique_violation then
    raise exception using errcode = 'PM007',
      message = 'a memory of this scope can''t come back: its slot has a newer value, or the same text was remembered again',
      hint = 'Forget the newer one first.';
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
  'Brings forgotten memories that a scope names back into recall. Answers as forget_memories() does. Raises PM001, PM002, PM006, PM007.';

select agent_memory.expose(function::regprocedure, variadic callers)
from (values
  ('agent_memory.lock_conversations(uuid, uuid[])', '{}'::text[]),
  ('agent_memory.refresh_windows(uuid, uuid[])', '{}'),
  ('agent_memory.scope_ids(jsonb)', '{}'),
  ('agent_memory.check_changes(public.ai_memories, jsonb)', '{}'),
  ('agent_memory.lock_memory(agent_memory.principal, uuid)', '{}'),
  ('agent_memory.in_scope(agent_memory.principal, jsonb, boolean)', '{}'),
  ('agent_memory.mark_forgotten(agent_memory.principal, uuid[], boolean)', '{}'),
  ('agent_memory.set_forgotten(jsonb, boolean, boolean)', '{}'),
  ('public.update_memory(uuid, jsonb)', '{authenticated,service_role}'),
  ('public.forget_memories(jsonb, boolean)', '{authenticated,service_role}'),
  ('public.restore_memories(jsonb, boolean)', '{authenticated,service_role}')
) as grants (function, callers);

-- What comes next on this connection, which a pooler may give to somebody else, has its own path.
reset search_path;
