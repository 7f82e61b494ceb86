-- Transfer -----------------------------------------------------------------------------------

select agent_memory.define_type('verdict', '
  ordinal integer, known uuid, status text, code text, reason text, draft agent_memory.draft');
comment on type agent_memory.verdict is
  'What is to become of one item of import_memories(): added, or why not. known is the memory that is there already.';

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
returns agent_memory.verdict[]
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
  select array_agg(row(
      t.ordinal, null,
      case when (t.problem).code is not null then 'rejected' when is_erased then 'erased' end,
      case when (t.problem).code is not null then (t.problem).code when is_erased then 'erased' end,
      case when (t.problem).code is not null then (t.problem).reason when is_erased then 'it was erased here' end,
      t.draft)::agent_memory.verdict order by t.ordinal)
  from told as t
  cross join lateral (select exists (select from gone as g where g.ordinal = t.ordinal)) as e (is_erased)
$$;
comment on function agent_memory.read_imports(agent_memory.principal, jsonb) is
  'The items of import_memories(), in order; the verdict on those that are refused, or were erased here, is passed.';

create or replace function agent_memory.judged_imports(caller agent_memory.principal, memories jsonb, dry_run boolean)
returns agent_memory.verdict[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  judged agent_memory.verdict[] := agent_memory.read_imports(caller, memories);
  drafts agent_memory.draft[] := array(
    select v.draft from unnest(judged) as v where v.status is null order by v.ordinal);
  answers agent_memory.remembered_memory[];
  -- Items whose id or key an earlier one tells. What comes of them, and of those whose text an earlier one has,
  -- is known when that is written; a dry run takes it that it will be.
  repeated integer[] := '{}';
begin
  if dry_run then
    repeated := agent_memory.repeated_drafts(drafts);
  else
    perform agent_memory.settle_contexts(caller.organization_id, drafts);
  end if;
  drafts := agent_memory.place_drafts(caller.organization_id, drafts);
  answers := array(
    select row(d.ordinal, k.id, 'duplicate', 'imported_before', 'it was imported before')::agent_memory.remembered_memory
    from unnest(drafts) as d
    cross join lateral agent_memory.imported_before(caller.organization_id, d) as k (id)
    where k.id is not null);
  answers := answers || array(
    select a from unnest(agent_memory.known_messages(caller.organization_id, drafts)) as a
    where not exists (select from unnest(answers) as known where known.ordinal = a.ordinal));
  return (
    with met as (
      select v.*, d as placed, a.id as known_id, a.status as known_status, a.code as known_code, a.reason as known_reason,
             e.answer as existing,
             -- Of several with one text in one call the first is written, of those that are valid now if any is.
             row_number() over (
               partition by d.forgotten_at is null and d.dedup_key is not null and a.status is null and v.ordinal <> all (repeated),
                 d.dedup_key
               order by d.valid_from > agent_memory.now(), v.ordinal) as place
      from unnest(judged) as v
      left join unnest(drafts) as d on d.ordinal = v.ordinal
      left join unnest(answers) as a on a.ordinal = v.ordinal
      left join lateral (select case when d.slot is null then agent_memory.existing(caller.organization_id, d)
          else coalesce((agent_memory.judge_value(caller, d)).answer,
                        row(d.ordinal, null, null, 'contended', null)::agent_memory.remembered_memory) end) as e (answer)
        on v.status is null and a.status is null and d.forgotten_at is null
    )
    select array_agg(row(
        m.ordinal, r.id, r.status, r.code, r.reason,
        case when m.status is null then m.placed else m.draft end)::agent_memory.verdict order by m.ordinal)
    from met as m
    cross join lateral (
      select case
          when m.status is not null then row(0, null, m.status, m.code, m.reason)::agent_memory.remembered_memory
          when m.known_status is not null then row(0, m.known_id, m.known_status, m.known_code, m.known_reason)::agent_memory.remembered_memory
          when m.ordinal = any (repeated)
            then row(0, null, 'duplicate', 'imported_before', 'an earlier item has its id or its idempotency key')::agent_memory.remembered_memory
          when (m.placed).forgotten_at is not null then row(0, null, 'added', 'added', null)::agent_memory.remembered_memory
          when (m.existing).code <> 'contended' then m.existing
          when dry_run and m.place > 1 and (m.placed).slot is null and (m.placed).dedup_key is not null
            then row(0, null, 'duplicate', 'same_text', 'the same text comes earlier')::agent_memory.remembered_memory
          else row(0, null, 'added', 'added', null)::agent_memory.remembered_memory
        end as answer) as verdict
    cross join lateral (select (verdict.answer).*) as r);
end
$$;
comment on function agent_memory.judged_imports(agent_memory.principal, jsonb, boolean) is
  'What is to become of each item of import_memories(), in order. Writes nothing in a dry run; else it settles the conversations, and keeps other writers out of them.';

create or replace function agent_memory.add_imported(
  caller agent_memory.principal, memories jsonb, judged agent_memory.verdict[])
returns agent_memory.remembered_memory[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  fresh constant agent_memory.draft[] := array(
    select v.draft from unnest(judged) as v where v.status = 'added' order by v.ordinal);
begin
  return array(
    select case when a.code in ('known_id', 'known_key', 'id_taken', 'key_taken')
             -- Its id or key was told by an earlier item of this call.
             then row(a.ordinal, agent_memory.imported_before(caller.organization_id, d), 'duplicate', 'imported_before',
                      'it was imported before')::agent_memory.remembered_memory
             else a end
    from unnest(agent_memory.add_drafts(caller, memories, fresh, agent_memory.vectors_of(memories, fresh))) as a
    join unnest(fresh) as d on d.ordinal = a.ordinal);
end
$$;
comment on function agent_memory.add_imported(agent_memory.principal, jsonb, agent_memory.verdict[]) is
  'Writes the items that are new and answers for each of them.';

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
  judged := agent_memory.judged_imports(caller, memories, coalesce(dry_run, false));
  if dry_run is not true then
    answers := agent_memory.add_imported(caller, memories, judged);
  end if;
  return query
    select v.ordinal, coalesce(a.id, v.known), coalesce(a.status, v.status), coalesce(a.code, v.code),
           case when a.status is null then v.reason else a.reason end
    from unnest(judged) as v
    left join unnest(answers) as a on a.ordinal = v.ordinal
    order by v.ordinal;
end
$$;
comment on function public.import_memories(jsonb, boolean) is
  'Stores memories that come from elsewhere, as remember_memories() does, in one transaction, and answers for each item, in order. An item may also have created_at, when it was created there; forgotten_at, since when it has been forgotten: it is stored so; and position, the order of messages of one instant. What has the id or the idempotency key of an item already is left as it is, and the item a duplicate, so that an import can be repeated. What was erased here is left out, with the status erased. With dry_run nothing is written, and the answers say what would be. Raises PM001, PM002, PM003, PM005, PM008.';
