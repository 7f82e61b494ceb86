-- Scope --------------------------------------------------------------------------------------

select agent_memory.define_type('recalled_memory', '
  id uuid, content text, kind text, user_id text, agent_id text, context_key text, metadata jsonb,
  trust text, occurred_at timestamptz, valid_from timestamptz, valid_to timestamptz,
  created_at timestamptz, score real, semantic real, lexical real, recency real, importance real');
comment on type agent_memory.recalled_memory is
  'One hit. score: 0 to about 1, comparable within one recall. Its parts: semantic, the cosine similarity, -1 to 1, null without one; lexical, 0 to 1, by the best match of this recall; recency, 0 to 1; importance, 0 to 1.';

select agent_memory.define_type('reach', '
  caller agent_memory.principal, agent_id text, user_id text, context_key text, kinds text[], metadata jsonb,
  since timestamptz, until timestamptz, valid_at timestamptz');
comment on type agent_memory.reach is
  'Whose recall it is, the filters, null where there is none, and the time at which a memory is to be valid: together they say which memories are in scope.';

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
returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  ids uuid[] := agent_memory.named_memories(caller.organization_id, scope);
begin
  -- Once to know what to lock, and once for what was changed while this waited for it.
  for attempt in 1 .. 2 loop
    ids := array(
      select m.id from public.ai_memories as m
      where m.organization_id = caller.organization_id and m.id = any (ids)
        and (m.forgotten_at is not null) = is_forgotten
        and agent_memory.may_read(m.visibility, m.user_id, m.agent_id, caller.person, caller.program)
        and agent_memory.may_write(m.visibility, m.user_id, m.agent_id, caller.role, caller.person, caller.program)
      order by m.id);
    perform agent_memory.lock_memories(caller.organization_id, ids) where attempt = 1;
  end loop;
  return ids;
end
$$;
comment on function agent_memory.in_scope(agent_memory.principal, jsonb, boolean) is
  'The memories, locked, that a scope names and that the caller may change; PM006 for a scope that names nothing.';
