-- Transfer -----------------------------------------------------------------------------------

create or replace function agent_memory.import_refusal(
  caller agent_memory.principal, item jsonb, draft agent_memory.draft)
returns agent_memory.problem
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when draft.code is not null then row(draft.code, draft.reason)::agent_memory.problem
    when item ->> 'created_at' is not null and agent_memory.parse_time(item -> 'created_at') is null
      then row('invalid_time', 'created_at must be a time in ISO 8601, such as 2026-11-23T10:15:00Z')::agent_memory.problem
    when item ->> 'forgotten_at' is not null and agent_memory.parse_time(item -> 'forgotten_at') is null
      then row('invalid_time', 'forgotten_at must be a time in ISO 8601, such as 2026-11-23T10:15:00Z')::agent_memory.problem
    when agent_memory.number_problem('position', item -> 'position', 0, 9e18, true) is not null
      then row('invalid_field', agent_memory.number_problem('position', item -> 'position', 0, 9e18, true))::agent_memory.problem
  end
$$;
comment on function agent_memory.import_refusal(agent_memory.principal, jsonb, agent_memory.draft) is
  'Why an item can''t be imported by this caller; null if nothing is wrong.';

create or replace function agent_memory.imported_before(organization_id uuid, draft agent_memory.draft)
returns uuid
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select m.id from public.ai_memories as m
  where m.organization_id = imported_before.organization_id
    and (m.id = draft.id or m.idempotency_digest = draft.idempotency_digest)
  order by m.id = draft.id desc limit 1
$$;
comment on function agent_memory.imported_before(uuid, agent_memory.draft) is
  'The memory that has the id or the idempotency key of an item already, whatever its text is by now; null if there is none.';

create or replace function agent_memory.read_imports(caller agent_memory.principal, memories jsonb)
returns agent_memory.draft[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with items as (
    select e.item, e.ordinal::integer as ordinal from jsonb_array_elements(memories) with ordinality as e (item, ordinal)
  ), bare as (
    select jsonb_agg(case when jsonb_typeof(i.item) <> 'object' then i.item else
             -- A message was said when it was created, unless it tells otherwise.
             case when i.item ->> 'kind' = 'message' and i.item ->> 'created_at' is not null
               then jsonb_build_object('occurred_at', i.item -> 'created_at') else '{}' end
             || (i.item - '{created_at,forgotten_at,position}'::text[]) end order by i.ordinal) as memories,
           agent_memory.read_vectors(array_agg(i.item ->> 'embedding')) is not null as are_storable
    from items as i
  ), told as (
    select i.ordinal, p.problem, jsonb_populate_record(d, case when (p.problem).code is null then jsonb_build_object(
        'position', i.item -> 'position',
        -- Never later than now; least() would take a null for it.
        'created_at', case when i.item ->> 'created_at' is not null
          then least(agent_memory.parse_time(i.item -> 'created_at'), agent_memory.now()) end,
        'forgotten_at', case when i.item ->> 'forgotten_at' is not null
          then least(agent_memory.parse_time(i.item -> 'forgotten_at'), agent_memory.now()) end) else '{}' end) as draft
    from bare
    cross join lateral unnest(agent_memory.drafts(caller, bare.memories, bare.are_storable)) as d
    join items as i on i.ordinal = d.ordinal
    cross join lateral (select agent_memory.import_refusal(caller, i.item, d) offset 0) as p (problem)
  ), gone as (
    select e.ordinal
    from (select array_agg((t.draft).id order by t.ordinal) as ids, array_agg((t.draft).user_id order by t.ordinal) as users,
                 array_agg((t.draft).agent_id order by t.ordinal) as agents,
                 array_agg((t.draft).context_key order by t.ordinal) as contexts,
                 -- What does not tell when it was created, was when it was said at the earliest.
                 array_agg(least(coalesce((t.draft).created_at, (t.draft).occurred_at), agent_memory.now()) order by t.ordinal) as times
          from told as t) as a
    cross join lateral agent_memory.erased(caller.organization_id, a.ids, a.users, a.agents, a.contexts, a.times) as e
  )
  select array_agg(jsonb_populate_record(t.draft, case
      when (t.problem).code is not null then to_jsonb(t.problem)
      when exists (select from gone as g where g.ordinal = t.ordinal) then '{"code": "erased", "reason": "it was erased here"}'
      else '{}' end) order by t.ordinal)
  from told as t
$$;
comment on function agent_memory.read_imports(agent_memory.principal, jsonb) is
  'The items of import_memories(), read and checked; the code of one that was erased here is erased.';

create or replace function agent_memory.foreseen(caller agent_memory.principal, drafts agent_memory.draft[])
returns agent_memory.remembered_memory[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  repeated constant integer[] := agent_memory.repeated_drafts(drafts);
begin
  return array(
    select case
        when t.is_repeated
          then row(d.ordinal, null, 'duplicate', 'imported_before', 'an earlier item has its id or its idempotency key')::agent_memory.remembered_memory
        when d.forgotten_at is not null
          then row(d.ordinal, null, 'added', 'forgotten', 'it was forgotten, and stays so')::agent_memory.remembered_memory
        when (e.answer).code <> 'contended' then e.answer
        when t.place > 1 and d.slot is null and d.dedup_key is not null
          then row(d.ordinal, null, 'duplicate', 'same_text', 'the same text comes earlier')::agent_memory.remembered_memory
        else row(d.ordinal, null, 'added', 'added', null)::agent_memory.remembered_memory
      end
    from (select d as draft, d.ordinal = any (repeated) as is_repeated,
                 -- Of several with one text in one call the first is written, of those that are valid now if any is.
                 row_number() over (partition by d.dedup_key, d.forgotten_at is null and d.ordinal <> all (repeated)
                                    order by d.valid_from > agent_memory.now(), d.ordinal) as place
          from unnest(drafts) as d) as t
    cross join lateral (select (t.draft).*) as d
    cross join lateral (select case
        when t.is_repeated or d.forgotten_at is not null then null
        when d.slot is null then agent_memory.existing(caller.organization_id, t.draft)
        else (agent_memory.judge_value(caller, t.draft)).answer end) as e (answer));
end
$$;
comment on function agent_memory.foreseen(agent_memory.principal, agent_memory.draft[]) is
  'What add_drafts() would answer for drafts. What comes of those whose id or key an earlier one tells is known when that is written; it is taken that it will be.';

create or replace function public.import_memories(memories jsonb, dry_run boolean default false)
returns setof agent_memory.remembered_memory
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  caller agent_memory.principal := agent_memory.require_writer('remember');
  drafts agent_memory.draft[];
  fresh agent_memory.draft[];
  answers agent_memory.remembered_memory[];
begin
  if jsonb_typeof(memories) is distinct from 'array' then
    raise exception using errcode = 'PM003', message = 'memories must be an array of objects',
      hint = 'Such as [{"content": "Maria is vegetarian.", "created_at": "2026-11-23T10:15:00Z"}].';
  elsif jsonb_array_length(memories) > 10000 then
    raise exception using errcode = 'PM008',
      message = format('%s memories in one call are more than 10,000', jsonb_array_length(memories)),
      hint = 'Send them in several calls; what was imported before is not added twice.';
  end if;
  perform agent_memory.lock_erasures(caller.organization_id, true);
  drafts := agent_memory.read_imports(caller, memories);
  if dry_run is not true then
    perform agent_memory.settle_contexts(caller.organization_id, drafts);
  end if;
  drafts := agent_memory.place_drafts(caller.organization_id, drafts);
  answers := array(
    select row(d.ordinal, k.id, 'duplicate', 'imported_before', 'it was imported before')::agent_memory.remembered_memory
    from unnest(drafts) as d
    cross join lateral agent_memory.imported_before(caller.organization_id, d) as k (id)
    where d.code is null and k.id is not null);
  answers := answers || array(
    select a from unnest(agent_memory.known_messages(caller.organization_id, drafts)) as a
    where not exists (select from unnest(answers) as known where known.ordinal = a.ordinal));
  fresh := array(
    select d from unnest(drafts) as d
    where d.code is null and not exists (select from unnest(answers) as a where a.ordinal = d.ordinal) order by d.ordinal);
  -- What is there already is known before anything is written: so an import can be repeated, of values that ended, too.
  answers := answers || array(
    select f from unnest(agent_memory.foreseen(caller, fresh)) as f where dry_run or f.id is not null or f.status = 'rejected');
  if dry_run is not true then
    fresh := array(
      select d from unnest(fresh) as d where not exists (select from unnest(answers) as a where a.ordinal = d.ordinal) order by d.ordinal);
    answers := answers || agent_memory.add_drafts(caller, memories, fresh, agent_memory.vectors_of(memories, fresh));
  end if;
  return query
    select d.ordinal, coalesce(k.id, a.id), coalesce(k.status, a.status, case d.code when 'erased' then 'erased' else 'rejected' end),
           coalesce(k.code, a.code, d.code), case when a.status is null then d.reason else coalesce(k.reason, a.reason) end
    from unnest(drafts) as d
    left join unnest(answers) as a on a.ordinal = d.ordinal
    -- Its id or key was told by an earlier item of this call.
    left join lateral (
      select agent_memory.imported_before(caller.organization_id, d) as id, 'duplicate' as status, 'imported_before' as code,
             'it was imported before' as reason) as k on a.code in ('known_id', 'known_key', 'id_taken', 'key_taken')
    order by d.ordinal;
end
$$;
comment on function public.import_memories(jsonb, boolean) is
  'Stores memories that come from elsewhere, as remember_memories() does, in one transaction, and answers for each item, in order. An item may also have created_at, when it was created there; forgotten_at, since when it has been forgotten: it is stored so; and position, the order of messages of one instant. What has the id or the idempotency key of an item already is left as it is, and the item a duplicate, so that an import can be repeated. What was erased here is left out, with the status erased. With dry_run nothing is written, and the answers say what would be. Raises PM001, PM002, PM003, PM005, PM008.';
