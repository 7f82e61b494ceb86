-- Transfer -----------------------------------------------------------------------------------

select agent_memory.define_type('verdict', '
  ordinal integer, known uuid, status text, reason text, draft agent_memory.draft,
  created_at timestamptz, forgotten_at timestamptz');
comment on type agent_memory.verdict is
  'What is to become of one item of import_memories(): added, or why not. known is the memory that is there already.';

create or replace function agent_memory.import_refusal(
  caller agent_memory.principal, item jsonb, draft agent_memory.draft)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when draft.reason is not null then draft.reason
    when item ->> 'created_at' is not null and agent_memory.parse_time(item -> 'created_at') is null
      then 'created_at must be a time in ISO 8601, such as 2026-11-23T10:15:00Z'
    when item ->> 'forgotten_at' is not null and agent_memory.parse_time(item -> 'forgotten_at') is null
      then 'forgotten_at must be a time in ISO 8601, such as 2026-11-23T10:15:00Z'
    when draft.slot is not null and exists (
        select from agent_memory.slot_values(caller.organization_id, draft) as v
        where not coalesce(agent_memory.may_write(
          v.visibility, draft.user_id, draft.agent_id, caller.role, caller.person, caller.program), false))
      then 'the slot has values that this caller may not change'
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
    and (m.id = draft.id
         or (m.agent_id = draft.agent_id and m.idempotency_key = draft.idempotency_key
             and m.user_id is not distinct from draft.user_id))
  order by m.id = draft.id desc limit 1
$$;
comment on function agent_memory.imported_before(uuid, agent_memory.draft) is
  'The memory that has the id or the idempotency key of an item already, whatever its text is by now; null if there is none.';

create or replace function agent_memory.judged_imports(caller agent_memory.principal, memories jsonb)
returns agent_memory.verdict[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with items as (
    select e.item, e.ordinal::integer as ordinal from jsonb_array_elements(memories) with ordinality as e (item, ordinal)
  ), bare as (
    select jsonb_agg(case jsonb_typeof(i.item) when 'object' then i.item - '{created_at,forgotten_at}'::text[] else i.item end
             order by i.ordinal) as memories,
           agent_memory.read_vectors(array_agg(i.item ->> 'embedding')) is not null as are_storable
    from items as i
  ), told as (
    select i.ordinal, i.item, d::agent_memory.draft as draft, agent_memory.import_refusal(caller, i.item, d) as reason,
           -- Never later than now; least() would take a null for it.
           case when i.item ->> 'created_at' is not null
             then least(agent_memory.parse_time(i.item -> 'created_at'), agent_memory.now()) end as created_at,
           case when i.item ->> 'forgotten_at' is not null
             then least(agent_memory.parse_time(i.item -> 'forgotten_at'), agent_memory.now()) end as forgotten_at
    from bare
    cross join lateral unnest(agent_memory.drafts(caller, bare.memories, bare.are_storable)) as d
    join items as i on i.ordinal = d.ordinal
  ), gone as (
    select e.ordinal
    from (select array_agg((t.draft).id order by t.ordinal) as ids, array_agg((t.draft).user_id order by t.ordinal) as users,
                 array_agg((t.draft).agent_id order by t.ordinal) as agents,
                 array_agg((t.draft).context_key order by t.ordinal) as contexts,
                 -- What does not tell when it was created, was when it was said at the earliest.
                 array_agg(least(coalesce(t.created_at, (t.draft).occurred_at), agent_memory.now()) order by t.ordinal) as times
          from told as t) as a
    cross join lateral agent_memory.erased(caller.organization_id, a.ids, a.users, a.agents, a.contexts, a.times) as e
  ), met as (
    select t.*, exists (select from gone as g where g.ordinal = t.ordinal) as is_erased, agent_memory.imported_before(caller.organization_id, t.draft) as known,
           -- Of several with one text in one call the first is written.
           row_number() over (
             partition by t.reason is null and t.forgotten_at is null, (t.draft).dedup_key order by t.ordinal) as place,
           agent_memory.existing(caller.organization_id, t.draft) as existing
    from told as t
  )
  select array_agg(row(
      m.ordinal, v.id, v.status, v.reason, m.draft,
      case when v.status = 'added' then m.created_at end,
      case when v.status = 'added' then m.forgotten_at end)::agent_memory.verdict order by m.ordinal)
  from met as m
  cross join lateral (
    select case
        when m.reason is not null then row(0, null, 'rejected', m.reason)::agent_memory.remembered_memory
        when m.is_erased then row(0, null, 'erased', 'it was erased here')::agent_memory.remembered_memory
        when m.known is not null then row(0, m.known, 'duplicate', 'it was imported before')::agent_memory.remembered_memory
        when m.forgotten_at is not null then row(0, null, 'added', null)::agent_memory.remembered_memory
        when (m.existing).status = 'duplicate' or (m.existing).reason like '%was used for another memory' then m.existing
        when m.place > 1 and (m.draft).slot is null
          then row(0, null, 'duplicate', 'the same text comes earlier')::agent_memory.remembered_memory
        else row(0, null, 'added', null)::agent_memory.remembered_memory
      end as answer) as judged
  cross join lateral (select (judged.answer).*) as v
$$;
comment on function agent_memory.judged_imports(agent_memory.principal, jsonb) is
  'What is to become of each item of import_memories(), in order; writes nothing.';

create or replace function agent_memory.add_forgotten(caller agent_memory.principal, memories jsonb, judged agent_memory.verdict[])
returns setof uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  -- What is forgotten neither holds a slot nor makes the same text a duplicate.
  parked agent_memory.draft[] := array(
    select jsonb_populate_record(v.draft, '{"slot": null, "dedup_key": null}') from unnest(judged) as v
    where v.status = 'added' and v.forgotten_at is not null);
  added uuid[];
begin
  if parked = '{}' then
    return;
  end if;
  perform agent_memory.settle_contexts(caller.organization_id, parked);
  perform agent_memory.settle_languages(caller.organization_id, parked);
  added := array(select agent_memory.add_memories(caller.organization_id, parked));
  perform agent_memory.embed_added(caller.organization_id, parked, agent_memory.vectors_of(memories, parked), added);
  update public.ai_memories as m
  set slot = (v.draft).slot, dedup_key = (v.draft).dedup_key, forgotten_at = v.forgotten_at
  from unnest(judged) as v
  where m.organization_id = caller.organization_id and m.id = (v.draft).id and m.id = any (added);
  return query select a.id from unnest(added) as a (id);
end
$$;
comment on function agent_memory.add_forgotten(agent_memory.principal, jsonb, agent_memory.verdict[]) is
  'Writes the items that arrive forgotten; returns the ids of those that were not there already.';

create or replace function agent_memory.add_imported(
  caller agent_memory.principal, memories jsonb, judged agent_memory.verdict[])
returns agent_memory.remembered_memory[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  parked uuid[] := array(select agent_memory.add_forgotten(caller, memories, judged));
  answers agent_memory.remembered_memory[];
begin
  with told as materialized (
    select v.ordinal, row_number() over (order by v.ordinal) as place,
           (e.item - '{created_at,forgotten_at}'::text[]) || jsonb_build_object('id', (v.draft).id) as item
    from unnest(judged) as v
    join jsonb_array_elements(memories) with ordinality as e (item, ordinal) on e.ordinal = v.ordinal
    where v.status = 'added' and v.forgotten_at is null
  )
  select array_agg(row(t.ordinal, r.id, r.status, r.reason)::agent_memory.remembered_memory)
    into answers
    from public.remember_memories((select coalesce(jsonb_agg(t.item order by t.place), '[]') from told as t)) as r
    join told as t on t.place = r.ordinal;
  answers := coalesce(answers, '{}') || array(
    select row(v.ordinal, p.id, 'added', 'it was forgotten, and stays so')::agent_memory.remembered_memory
    from unnest(judged) as v join unnest(parked) as p (id) on p.id = (v.draft).id);
  update public.ai_memories as m
  set created_at = v.created_at
  from unnest(judged) as v
  join unnest(answers) as a on a.ordinal = v.ordinal and a.status in ('added', 'superseded')
  where m.organization_id = caller.organization_id and m.id = a.id and v.created_at is not null;
  return answers;
end
$$;
comment on function agent_memory.add_imported(agent_memory.principal, jsonb, agent_memory.verdict[]) is
  'Writes the items that are new and answers for each of them; when they were created, where the items tell, is kept.';

create or replace function public.import_memories(memories jsonb, dry_run boolean default false)
returns setof agent_memory.remembered_memory
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  caller agent_memory.principal := agent_memory.require_writer('remember');
  judged agent_memory.verdict[];
  answers agent_memory.remembered_memory[] := '{}';
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
  judged := agent_memory.judged_imports(caller, memories);
  if not dry_run then
    answers := agent_memory.add_imported(caller, memories, judged);
  end if;
  return query
    select v.ordinal, coalesce(a.id, v.known), coalesce(a.status, v.status), coalesce(a.reason, v.reason)
    from unnest(judged) as v
    left join unnest(answers) as a on a.ordinal = v.ordinal
    order by v.ordinal;
end
$$;
comment on function public.import_memories(jsonb, boolean) is
  'Stores memories that come from elsewhere, as remember_memories() does, in one transaction, and answers for each item, in order. An item may also have created_at, when it was created there, and forgotten_at, since when it has been forgotten: it is stored so. What has the id or the idempotency key of an item already is left as it is, and the item a duplicate, so that an import can be repeated. What was erased here (20261111_erase_memories.sql) is left out, with the status erased. With dry_run nothing is written, and the answers say what would be. Raises PM001, PM002, PM003, PM005, PM008.';
