-- pgrecall: 20250707_agent_memory_stats.sql, after 20230901_memory_context_management.sql.

set search_path = pg_catalog, pg_temp;
set check_function_bodies = off;
set jit = off;
select pg_catalog.set_config('lock_timeout',
  coalesce(nullif(pg_catalog.current_setting('pgrecall.lock_timeout', true), ''), '5s'), false);

select agent_memory.begin_migration('20250707_agent_memory_stats.sql', '0.1.0');

-- Statistics ---------------------------------------------------------------------------------

do $tables$
begin
  if pg_catalog.to_regclass('public.agent_memory_stats') is null then
    create table public.agent_memory_stats (
      organization_id uuid not null references agent_memory.organizations on delete cascade,
      agent_id text not null check (char_length(agent_id) between 1 and 255),
      hour timestamptz not null check (hour = date_trunc('hour', hour, 'UTC')),
      added bigint not null default 0 check (added >= 0),
      duplicates bigint not null default 0 check (duplicates >= 0),
      superseded bigint not null default 0 check (superseded >= 0),
      updated bigint not null default 0 check (updated >= 0),
      forgotten bigint not null default 0 check (forgotten >= 0),
      erased bigint not null default 0 check (erased >= 0),
      recalls bigint not null default 0 check (recalls >= 0),
      empty_recalls bigint not null default 0 check (empty_recalls between 0 and recalls),
      embedding_tokens bigint not null default 0 check (embedding_tokens >= 0),
      query_tokens bigint not null default 0 check (query_tokens >= 0),
      latencies bigint[] not null default array_fill(0::bigint, array[32]) check (
        array_ndims(latencies) = 1 and cardinality(latencies) = 32
        and array_position(latencies, null) is null and 0 <= all (latencies)),
      updated_at timestamptz not null default agent_memory.now(),
      primary key (organization_id, agent_id, hour)
    );
    alter table public.agent_memory_stats enable row level security;
  end if;
end
$tables$;
comment on table public.agent_memory_stats is 'Counts per organization, agent and hour, which clients gather and bring in batches by add_memory_stats(); no function writes here in the course of a recall.';
comment on column public.agent_memory_stats.hour is 'The start of the hour, in UTC.';
comment on column public.agent_memory_stats.added is 'Memories that were stored, those that superseded an earlier value included.';
comment on column public.agent_memory_stats.superseded is 'Memories that ended an earlier value of their slot.';
comment on column public.agent_memory_stats.empty_recalls is 'Recalls that found nothing.';
comment on column public.agent_memory_stats.embedding_tokens is 'Tokens of texts that were embedded to be stored, estimated as a quarter of their bytes in UTF-8.';
comment on column public.agent_memory_stats.query_tokens is 'Tokens of questions that were embedded, estimated likewise.';
comment on column public.agent_memory_stats.latencies is 'How many recalls took how long, as their clients saw it, embedding included. Bucket n, from 1, holds those of more than the bound before it and at most 0.5 ms times the square root of 2 to the power n - 1; the 32nd those above 16,384 ms.';

select agent_memory.policy('public.agent_memory_stats', 'members', 'nobody');

create or replace function agent_memory.summed(one bigint[], other bigint[])
returns bigint[]
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select array_agg(pair.a + pair.b order by pair.place)
  from unnest(one, other) with ordinality as pair (a, b, place)
$$;
comment on function agent_memory.summed(bigint[], bigint[]) is 'Two arrays of one length, added place by place.';

create or replace function agent_memory.is_count(value jsonb)
returns boolean
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  -- Two conditions in one CASE, since an AND promises no order.
  select case when jsonb_typeof(value) = 'number' then value #>> '{}' ~ '^[0-9]{1,12}$' else false end
$$;
comment on function agent_memory.is_count(jsonb) is 'Whether a value is a whole number from 0 to 999,999,999,999.';

create or replace function agent_memory.stats_problem(item jsonb)
returns text
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case
    when jsonb_typeof(item) <> 'object' then 'each item must be an object'
    when jsonb_typeof(item -> 'agent_id') is distinct from 'string' or char_length(item ->> 'agent_id') not between 1 and 255
      then 'agent_id must be a text of 1 to 255 characters'
    when agent_memory.parse_time(item -> 'hour') is null then 'hour must be a time in ISO 8601'
    when agent_memory.parse_time(item -> 'hour') not between pg_catalog.now() - interval '31 days' and pg_catalog.now() + interval '1 day'
      then 'hour must be in the last 31 days'
    when jsonb_typeof(coalesce(item -> 'latencies', '[]')) <> 'array'
        or jsonb_array_length(coalesce(item -> 'latencies', '[]')) not in (0, 32)
        or exists (select from jsonb_array_elements(item -> 'latencies') as l where not agent_memory.is_count(l.value))
      then 'latencies must be 32 counts'
    else (
      select min(case
          when f.key not in ('added', 'duplicates', 'superseded', 'updated', 'forgotten', 'erased', 'recalls', 'empty_recalls', 'embedding_tokens', 'query_tokens')
            then format('unknown count "%s"', left(f.key, 60))
          when not agent_memory.is_count(f.value) then f.key || ' must be a whole number from 0 to 999999999999' end)
      from jsonb_each(item - '{agent_id,hour,latencies}'::text[]) as f)
  end
$$;
comment on function agent_memory.stats_problem(jsonb) is 'Why an item of add_memory_stats() can''t be added, or null if it can.';

create or replace function public.add_memory_stats(counts jsonb)
returns integer
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  -- Whatever a key is for, what it does is counted: no verb is asked for.
  caller agent_memory.principal := agent_memory.require_member(null);
  problem text;
  written integer;
begin
  if jsonb_typeof(counts) is distinct from 'array' or jsonb_array_length(counts) > 1000 then
    problem := 'counts must be a list of at most 1,000 objects';
  else
    select min(agent_memory.stats_problem(i.value)) into problem from jsonb_array_elements(counts) as i;
  end if;
  if problem is null and exists (
      select from jsonb_array_elements(counts) as i
      group by i.value ->> 'agent_id', date_trunc('hour', agent_memory.parse_time(i.value -> 'hour'), 'UTC') having count(*) > 1) then
    problem := 'an agent and hour may be named once';
  end if;
  if problem is not null then
    raise exception using errcode = 'PM003', message = problem;
  elsif caller.program is not null and exists (
      select from jsonb_array_elements(counts) as i where i.value ->> 'agent_id' <> caller.program) then
    raise exception using errcode = 'PM002', message = 'a program counts for its own agent alone';
  end if;
  -- In the order of the key, so that two who add to the same rows wait instead of deadlocking.
  insert into public.agent_memory_stats as s (
    organization_id, agent_id, hour, added, duplicates, superseded, updated, forgotten, erased,
    recalls, empty_recalls, embedding_tokens, query_tokens, latencies, updated_at)
  select caller.organization_id, c.agent_id, date_trunc('hour', agent_memory.parse_time(c.hour), 'UTC'),
         coalesce(c.added, 0), coalesce(c.duplicates, 0), coalesce(c.superseded, 0), coalesce(c.updated, 0),
         coalesce(c.forgotten, 0), coalesce(c.erased, 0), coalesce(c.recalls, 0), coalesce(c.empty_recalls, 0),
         coalesce(c.embedding_tokens, 0), coalesce(c.query_tokens, 0),
         coalesce(nullif(c.latencies, '{}'), array_fill(0::bigint, array[32])), agent_memory.now()
  from jsonb_to_recordset(counts) as c (
    agent_id text, hour jsonb, added bigint, duplicates bigint, superseded bigint, updated bigint, forgotten bigint, erased bigint,
    recalls bigint, empty_recalls bigint, embedding_tokens bigint, query_tokens bigint, latencies bigint[])
  order by 2, 3
  on conflict (organization_id, agent_id, hour) do update set
    added = s.added + excluded.added,
    duplicates = s.duplicates + excluded.duplicates,
    superseded = s.superseded + excluded.superseded,
    updated = s.updated + excluded.updated,
    forgotten = s.forgotten + excluded.forgotten,
    erased = s.erased + excluded.erased,
    recalls = s.recalls + excluded.recalls,
    empty_recalls = s.empty_recalls + excluded.empty_recalls,
    embedding_tokens = s.embedding_tokens + excluded.embedding_tokens,
    query_tokens = s.query_tokens + excluded.query_tokens,
    latencies = agent_memory.summed(s.latencies, excluded.latencies),
    updated_at = excluded.updated_at;
  get diagnostics written = row_count;
  return written;
end
$$;
comment on function public.add_memory_stats(jsonb) is
  'Adds counts to agent_memory_stats of the caller''s organization and answers how many rows took them. counts is a list of objects with agent_id, hour (a time in it, of the last 31 days) and any of added, duplicates, superseded, updated, forgotten, erased, recalls, empty_recalls, embedding_tokens, query_tokens, latencies (32 counts), each agent and hour once. For every member and key; a program for its own agent alone. Clients gather counts and call it now and then, never in the course of a recall. Raises PM001, PM002, PM003.';

-- Statistics ----------------------------------------------------------------------------------

create or replace function agent_memory.roll_up_stats(before timestamptz, match_limit integer)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  rolled bigint;
begin
  with hours as (
    delete from public.agent_memory_stats as s
    using (
      select h.organization_id, h.agent_id, h.hour from public.agent_memory_stats as h
      where h.hour < date_trunc('day', before, 'UTC') and h.hour <> date_trunc('day', h.hour, 'UTC')
      order by h.organization_id, h.agent_id, h.hour limit match_limit for update) as chosen
    where s.organization_id = chosen.organization_id and s.agent_id = chosen.agent_id and s.hour = chosen.hour
    returning s.*
  ), latencies as (
    select l.organization_id, l.agent_id, l.day, array_agg(l.recalls order by l.place) as latencies
    from (
      select h.organization_id, h.agent_id, date_trunc('day', h.hour, 'UTC') as day, b.place, sum(b.recalls)::bigint as recalls
      from hours as h cross join lateral unnest(h.latencies) with ordinality as b (recalls, place)
      group by 1, 2, 3, 4) as l
    group by 1, 2, 3
  ), days as (
    insert into public.agent_memory_stats as s (
      organization_id, agent_id, hour, added, duplicates, superseded, updated, forgotten, erased, recalls, empty_recalls,
      embedding_tokens, query_tokens, latencies, updated_at)
    select h.organization_id, h.agent_id, l.day, sum(h.added), sum(h.duplicates), sum(h.superseded), sum(h.updated),
           sum(h.forgotten), sum(h.erased), sum(h.recalls), sum(h.empty_recalls), sum(h.embedding_tokens), sum(h.query_tokens),
           l.latencies, agent_memory.now()
    from hours as h
    join latencies as l on l.organization_id = h.organization_id and l.agent_id = h.agent_id and l.day = date_trunc('day', h.hour, 'UTC')
    group by h.organization_id, h.agent_id, l.day, l.latencies
    order by 1, 2, 3
    on conflict (organization_id, agent_id, hour) do update set
      added = s.added + excluded.added, duplicates = s.duplicates + excluded.duplicates,
      superseded = s.superseded + excluded.superseded, updated = s.updated + excluded.updated,
      forgotten = s.forgotten + excluded.forgotten, erased = s.erased + excluded.erased,
      recalls = s.recalls + excluded.recalls, empty_recalls = s.empty_recalls + excluded.empty_recalls,
      embedding_tokens = s.embedding_tokens + excluded.embedding_tokens, query_tokens = s.query_tokens + excluded.query_tokens,
      latencies = agent_memory.summed(s.latencies, excluded.latencies), updated_at = excluded.updated_at
  )
  select count(*) into rolled from hours;
  return rolled;
end
$$;
comment on function agent_memory.roll_up_stats(timestamptz, integer) is
  'Adds up to match_limit hours of statistics from before the day (UTC) of a time to the first hour of their day, which then stands for the day, and says how many hours went. 0: nothing is left to add up. Sums over days, and over longer times, stay the same.';

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

-- Operations ---------------------------------------------------------------------------------

do $tables$
begin
  if pg_catalog.to_regclass('agent_memory.backups') is null then
    create table agent_memory.backups (
      organization_id uuid not null,
      id uuid not null default agent_memory.uuid_v7(),
      backup_id uuid not null,
      action text not null check (action in ('backup', 'restore', 'verification', 'import')),
      place text not null check (char_length(place) between 1 and 4000),
      state text not null default 'running' check (state in ('running', 'done', 'failed')),
      started_at timestamptz not null default pg_catalog.clock_timestamp(),
      finished_at timestamptz,
      snapshot_at timestamptz,
      rows bigint check (rows >= 0),
      skipped bigint check (skipped >= 0),
      bytes bigint check (bytes >= 0),
      files_loaded integer not null default 0 check (files_loaded >= 0),
      is_fresh boolean not null default false,
      unbuilt_indexes text[] not null default '{}',
      reason text,
      deleted_at timestamptz,
      primary key (organization_id, id)
    );
    create index backups_newest_idx on agent_memory.backups (organization_id, action, state, started_at);
    alter table agent_memory.backups enable row level security;
  end if;
end
$tables$;
comment on table agent_memory.backups is 'The ledger of backups, restores, verifications and of imports that build indexes afterwards: one row a run. The newest snapshot_at of a backup that is done says what would be lost; the newest finished_at of a verification that is done, since when it is proven that a backup can be restored.';
comment on column agent_memory.backups.organization_id is 'The organization; all zeros for the whole database. No reference: what was backed up outlives its organization.';
comment on column agent_memory.backups.backup_id is 'The id of the backup, as its manifest names it; the same in each of its restores and verifications.';
comment on column agent_memory.backups.place is 'The path or URL, without credentials.';
comment on column agent_memory.backups.state is 'running also of a run that was killed.';
comment on column agent_memory.backups.snapshot_at is 'The moment whose state the backup holds.';
comment on column agent_memory.backups.rows is 'Rows in the backup, or rows that a restore has put in.';
comment on column agent_memory.backups.skipped is 'Rows that a restore left out, since they were erased.';
comment on column agent_memory.backups.files_loaded is 'How many files of the backup a restore has put in; a rerun goes on after them.';
comment on column agent_memory.backups.is_fresh is 'Whether the restore made the organization, so that afterwards it must be what the backup holds, and nothing else.';
comment on column agent_memory.backups.unbuilt_indexes is 'The indexes of search that the restore or import has dropped and not built again yet, as CREATE INDEX.';
comment on column agent_memory.backups.deleted_at is 'When the retention deleted the backup.';

-- Retention -----------------------------------------------------------------------------------

create or replace function agent_memory.retained_agents()
returns table (organization_id uuid, agent_id text, retention jsonb)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select held.organization_id, held.agent_id, s.retention
  from (
    select o.organization_id, m.agent_id
    from agent_memory.organizations as o
    join public.ai_memories as m on m.organization_id = o.organization_id
    where o.agent_settings ? 'retention'
    union
    select c.organization_id, c.agent_id from public.agent_memory_config as c where c.settings ? 'retention'
  ) as held
  cross join lateral (select agent_memory.effective_settings(held.organization_id, held.agent_id) -> 'retention' as retention) as s
  where s.retention - 'action' <> '{}'
  order by held.organization_id, held.agent_id
$$;
comment on function agent_memory.retained_agents() is
  'The agents, of all organizations, whose memories have a bound by their settings or by those for all agents, and the setting retention that holds for each.';

create or replace function agent_memory.due_memories(organization_id uuid, agent_id text, retention jsonb, match_limit integer)
returns setof uuid
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with held as (
    select m.id, m.kind, m.created_at, m.expires_at,
           row_number() over (order by m.created_at desc, m.id desc) as place
    from public.ai_memories as m
    where m.organization_id = due_memories.organization_id and m.agent_id = due_memories.agent_id
      and (m.forgotten_at is null or retention ->> 'action' = 'erase')
  )
  select h.id from held as h
  where h.created_at < agent_memory.now() - (retention #>> array['max_age', h.kind])::integer * interval '1 day'
     or h.expires_at < agent_memory.now() - (retention ->> 'expired')::integer * interval '1 day'
     or h.place > (retention ->> 'max_count')::bigint
  order by h.created_at, h.id
  limit match_limit
$$;
comment on function agent_memory.due_memories(uuid, text, jsonb, integer) is
  'Up to match_limit memories of an agent that a retention has had its time with, oldest first: stored longer ago than max_age says for their kind, expired longer ago than expired says, or beyond the newest max_count. Where they are to be erased, forgotten ones count too.';

create or replace function agent_memory.retain(organization_id uuid, agent_id text, match_limit integer)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  retention jsonb := agent_memory.effective_settings(organization_id, agent_id) -> 'retention';
  caller agent_memory.principal := row(organization_id, 'maintenance', 'owner', null, null, null, organization_id);
  ids uuid[] := array(select agent_memory.due_memories(organization_id, agent_id, retention, match_limit));
begin
  if ids = '{}' then
    return 0;
  elsif retention ->> 'action' = 'erase' then
    return agent_memory.erase(caller, jsonb_build_object('ids', ids), true, false) ->> 'memories';
  end if;
  perform agent_memory.lock_memories(organization_id, ids);
  ids := array(
    select m.id from public.ai_memories as m
    where m.organization_id = retain.organization_id and m.id = any (ids) and m.forgotten_at is null);
  perform agent_memory.mark_forgotten(caller, ids, true);
  return cardinality(ids);
end
$$;
comment on function agent_memory.retain(uuid, text, integer) is
  'Forgets, or where the retention says so erases, up to match_limit memories of an agent that are due, and says how many. 0: none was due.';

create or replace function agent_memory.retain_all(match_limit integer default 10000)
returns bigint
language sql
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(sum(agent_memory.retain(a.organization_id, a.agent_id, match_limit)), 0)::bigint
  from agent_memory.retained_agents() as a
$$;
comment on function agent_memory.retain_all(integer) is
  'retain() for each agent whose memories have a bound. For pg_cron: repeated until it answers 0.';

select agent_memory.apply_rights();
select agent_memory.record_migration('20250707_agent_memory_stats.sql', '0.1.0', '2d6e381466ac036997bb96990362dd8bb5ad7f6fdc2d51eaecf5b53367994497');

reset lock_timeout;
reset jit;
reset check_function_bodies;
reset search_path;
