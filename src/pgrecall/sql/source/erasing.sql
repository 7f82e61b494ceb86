-- Erasing ------------------------------------------------------------------------------------

do $tables$
begin
  if pg_catalog.to_regclass('agent_memory.erasures') is null then
    create table agent_memory.erasures (
      organization_id uuid not null references agent_memory.organizations on delete cascade,
      id uuid not null default agent_memory.uuid_v7(),
      erased_at timestamptz not null default agent_memory.now(),
      erased_by text,
      counts jsonb not null check (agent_memory.is_safe_json(counts)),
      receipt text not null check (receipt ~ '^[0-9a-f]{64}$'),
      primary key (organization_id, id)
    );
    alter table agent_memory.erasures enable row level security;
  end if;
end
$tables$;

do $tables$
begin
  if pg_catalog.to_regclass('agent_memory.tombstones') is null then
    create table agent_memory.tombstones (
      organization_id uuid not null references agent_memory.organizations on delete cascade,
      digest bytea not null check (octet_length(digest) = 32),
      erased_at timestamptz not null,
      primary key (organization_id, digest)
    );
    alter table agent_memory.tombstones enable row level security;
  end if;
end
$tables$;
comment on table agent_memory.erasures is 'That something was erased, when, how much and by whom: nothing of what it was. Read by owners and admins, written by erase_memories().';
comment on column agent_memory.erasures.erased_by is 'The member who erased it, as in agent_memory.members.user_id; null for members who erased what was about themselves.';
comment on column agent_memory.erasures.receipt is 'SHA-256, hexadecimal, over the sorted ids, the scope and the counts: agent_memory.erasure_receipt().';
comment on table agent_memory.tombstones is 'Digests of the ids of erased memories, and of erased scopes: what a restore or an import leaves out.';
comment on column agent_memory.tombstones.erased_at is 'What a scope had been told before this time is erased; what it was told later, is not.';

-- Tombstones ----------------------------------------------------------------------------------

create or replace function agent_memory.memory_digest(memory_id uuid)
returns bytea
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$ select sha256(convert_to('memory:' || memory_id, 'UTF8')) $$;
comment on function agent_memory.memory_digest(uuid) is 'SHA-256 of memory: and the id, as UTF-8.';

create or replace function agent_memory.scope_digest(user_id text, agent_id text, context_key text)
returns bytea
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select sha256(convert_to('scope:' || jsonb_strip_nulls(jsonb_build_object(
    'user_id', user_id, 'agent_id', agent_id, 'context_key', context_key))::text, 'UTF8'))
$$;
comment on function agent_memory.scope_digest(text, text, text) is
  'SHA-256 of scope: and what the scope names of user, agent and context, those that are not null, as PostgreSQL prints it as jsonb, in UTF-8.';

create or replace function agent_memory.erased(
  organization_id uuid, memory_ids uuid[], user_ids text[], agent_ids text[], context_keys text[], created_ats timestamptz[])
returns table (ordinal integer)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  if not exists (select from agent_memory.tombstones as t where t.organization_id = erased.organization_id) then
    return;
  end if;
  return query
    with given as (
      select g.ordinal::integer as ordinal, g.memory_id, g.user_id, g.agent_id, g.context_key, g.created_at
      from unnest(memory_ids, user_ids, agent_ids, context_keys, created_ats) with ordinality
        as g (memory_id, user_id, agent_id, context_key, created_at, ordinal)
    ), scopes as (
      select s.user_id, s.agent_id, s.context_key, agent_memory.scope_digest(s.user_id, s.agent_id, s.context_key) as digest
      from (
        select distinct case when named.by_user then g.user_id end as user_id,
               case when named.by_agent then g.agent_id end as agent_id,
               case when named.by_context then g.context_key end as context_key
        from given as g
        cross join (values (true, false, false), (false, true, false), (false, false, true), (true, true, false),
                           (true, false, true), (false, true, true), (true, true, true)) as named (by_user, by_agent, by_context)
      ) as s
      where num_nonnulls(s.user_id, s.agent_id, s.context_key) > 0
    ), scoped as materialized (
      select s.user_id, s.agent_id, s.context_key, t.erased_at
      from scopes as s
      join agent_memory.tombstones as t on t.organization_id = erased.organization_id and t.digest = s.digest
    )
    select g.ordinal from given as g
    where exists (
        select from agent_memory.tombstones as t
        where t.organization_id = erased.organization_id and t.digest = agent_memory.memory_digest(g.memory_id))
      or exists (
        select from scoped as s
        where s.erased_at >= g.created_at
          and (s.user_id is null or s.user_id = g.user_id)
          and (s.agent_id is null or s.agent_id = g.agent_id)
          and (s.context_key is null or s.context_key = g.context_key))
    order by g.ordinal;
end
$$;
comment on function agent_memory.erased(uuid, uuid[], text[], text[], text[], timestamptz[]) is
  'Which of some memories, given as arrays of equal length, were erased from an organization: their places from 1, in order. One was if its id was, or if a scope that it is of was erased at its created_at or later; nulls match no scope. For those who restore or import.';

create or replace function agent_memory.is_erased(
  organization_id uuid, memory_id uuid, user_id text, agent_id text, context_key text, created_at timestamptz)
returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select exists (select from agent_memory.erased(
    organization_id, array[memory_id], array[user_id], array[agent_id], array[context_key], array[created_at]))
$$;
comment on function agent_memory.is_erased(uuid, uuid, text, text, text, timestamptz) is
  'Whether a memory was erased from an organization, as erased() says for many.';

create or replace function agent_memory.lock_erasures(organization_id uuid, is_import boolean)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  -- A row that no client can lock, as it could an advisory lock. Writers, whose rows refer to it, don't wait.
  if is_import then
    perform from agent_memory.organizations as o where o.organization_id = lock_erasures.organization_id for share;
  else
    perform from agent_memory.organizations as o where o.organization_id = lock_erasures.organization_id for no key update;
  end if;
end
$$;
comment on function agent_memory.lock_erasures(uuid, boolean) is
  'Until the end of the transaction no import into an organization runs beside an erasure there: what comes later sees what was done. Taken before any other lock.';

create or replace function agent_memory.settled_since()
returns timestamptz
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- As an age, since agent_memory.now() may pretend.
  select agent_memory.now() - greatest('0', pg_catalog.now() - min(a.xact_start) + interval '1 microsecond')
  from pg_catalog.pg_stat_activity as a
  where a.datname = current_database() and a.backend_type = 'client backend' and a.pid <> pg_backend_pid()
$$;
comment on function agent_memory.settled_since() is
  'A time up to which no other transaction under way began, as far as the owner of this function may see: memories of that created_at or an earlier one are committed, or will never be.';

-- Scopes --------------------------------------------------------------------------------------

create or replace function agent_memory.erasure_scope(caller agent_memory.principal, scope jsonb)
returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  ids uuid[] := agent_memory.scope_ids(scope);
begin
  if caller.role = 'agent' and scope ->> 'agent_id' <> caller.program
     or caller.role = 'member' and scope ->> 'user_id' <> caller.person then
    return null;
  end if;
  return jsonb_strip_nulls(jsonb_build_object(
    'ids', to_jsonb(ids),
    'user_id', case when caller.role = 'member' then caller.person else scope ->> 'user_id' end,
    'agent_id', case when caller.role = 'agent' then caller.program else scope ->> 'agent_id' end,
    'context_key', scope ->> 'context_key'));
end
$$;
comment on function agent_memory.erasure_scope(agent_memory.principal, jsonb) is
  'A scope, narrowed to what a caller may change by its role: a program what its agent holds, a member what is about them. Null if nothing is left of it; PM006 for a scope that names nothing.';

create or replace function agent_memory.named_memories(organization_id uuid, scope jsonb)
returns uuid[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
-- For each scope the index of what it names.
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
  named constant uuid[] := agent_memory.scope_ids(scope);
  contexts constant uuid[] := array(
    select c.id from public.ai_memory_contexts as c
    where c.organization_id = named_memories.organization_id and c.context_key = scope ->> 'context_key');
begin
  return array(
    select m.id from public.ai_memories as m
    where m.organization_id = named_memories.organization_id
      and (named is null or m.id = any (named))
      and (not scope ? 'user_id' or m.user_id = scope ->> 'user_id')
      and (not scope ? 'agent_id' or m.agent_id = scope ->> 'agent_id')
      and (not scope ? 'context_key' or m.context_id = any (contexts)));
end
$$;
comment on function agent_memory.named_memories(uuid, jsonb) is 'The memories of an organization that a scope names, whoever may see them; PM006 for a scope that names nothing.';

create or replace function agent_memory.named_conversations(organization_id uuid, scope jsonb)
returns uuid[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select array(
    select c.id from public.ai_memory_contexts as c
    where c.organization_id = named_conversations.organization_id and not scope ? 'ids'
      and (not scope ? 'user_id' or c.user_id = scope ->> 'user_id')
      and (not scope ? 'agent_id' or c.agent_id = scope ->> 'agent_id')
      and (not scope ? 'context_key' or c.context_key = scope ->> 'context_key'))
$$;
comment on function agent_memory.named_conversations(uuid, jsonb) is 'The conversations that a scope names as a whole; none for one with ids.';

-- Deleting ------------------------------------------------------------------------------------

create or replace function agent_memory.unlink_memories(organization_id uuid, ids uuid[])
returns uuid[]
language sql
set search_path = pg_catalog, pg_temp
as $$
  with unlinked as (
    update public.ai_memories as m
    set superseded_by = null, stated_valid_to = null, updated_at = agent_memory.now()
    from (select m.id
          from unnest(ids) as d (id)
          join public.ai_memories as m on m.organization_id = unlink_memories.organization_id and m.superseded_by = d.id
          left join unnest(ids) as also (id) on also.id = m.id
          where also.id is null) as ended
    where m.organization_id = unlink_memories.organization_id and m.id = ended.id
    returning m.id
  )
  select array(select u.id from unlinked as u order by u.id)
$$;
comment on function agent_memory.unlink_memories(uuid, uuid[]) is
  'Makes the ends that memories, which are to go, have put to others these others'' own, and answers which these are.';

create or replace function agent_memory.drop_mentions(organization_id uuid, ids uuid[], slots text[], linked uuid[])
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  update agent_memory.history as h
  set before = case when b.id is null then h.before else h.before || '{"superseded_by": null}' end,
      after = case when a.id is null then h.after else h.after || '{"superseded_by": null}' end
  from (select m.id from public.ai_memories as m
        where m.organization_id = drop_mentions.organization_id and m.slot = any (slots)
        union select l.id from unnest(linked) as l (id)) as kin
  join agent_memory.history as own on own.organization_id = drop_mentions.organization_id and own.memory_id = kin.id
  left join unnest(ids) as b (id) on b.id::text = own.before ->> 'superseded_by'
  left join unnest(ids) as a (id) on a.id::text = own.after ->> 'superseded_by'
  where h.organization_id = drop_mentions.organization_id and h.memory_id = own.memory_id and h.id = own.id
    and (b.id is not null or a.id is not null)
$$;
comment on function agent_memory.drop_mentions(uuid, uuid[], text[], uuid[]) is
  'Takes the ids of memories that are gone out of the history of what they had superseded.';

create or replace function agent_memory.delete_vectors(organization_id uuid, ids uuid[])
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  deleted bigint := 0;
begin
  if agent_memory.has_vector() then
    delete from agent_memory.embeddings as e
      where e.organization_id = delete_vectors.organization_id and e.memory_id = any (ids);
    get diagnostics deleted = row_count;
  end if;
  return deleted;
end
$$;
comment on function agent_memory.delete_vectors(uuid, uuid[]) is 'Deletes the vectors of memories, of every model, and says how many they were.';

create or replace function agent_memory.delete_memories(organization_id uuid, ids uuid[], context_ids uuid[])
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  counts jsonb := jsonb_build_object('embeddings', agent_memory.delete_vectors(organization_id, ids));
  touched uuid[];
  slots text[];
  linked uuid[];
  deleted bigint;
begin
  select array_agg(distinct m.context_id) filter (where m.context_id is not null), array_agg(distinct m.slot) filter (where m.slot is not null)
    into touched, slots
    from public.ai_memories as m
    where m.organization_id = delete_memories.organization_id and m.id = any (ids);
  delete from agent_memory.history as h
    where h.organization_id = delete_memories.organization_id and h.memory_id = any (ids);
  get diagnostics deleted = row_count;
  linked := agent_memory.unlink_memories(organization_id, ids);
  counts := counts || jsonb_build_object('history', deleted, 'links', cardinality(linked));
  delete from public.ai_memories as m where m.organization_id = delete_memories.organization_id and m.id = any (ids);
  get diagnostics deleted = row_count;
  perform agent_memory.drop_mentions(organization_id, ids, slots, linked);
  counts := counts || jsonb_build_object('memories', deleted, 'windows', agent_memory.refresh_windows(organization_id, touched));
  delete from public.ai_memory_contexts as c
    where c.organization_id = delete_memories.organization_id and c.id = any (context_ids)
      and not exists (
        select from public.ai_memories as m
        where m.organization_id = delete_memories.organization_id and m.context_id = c.id);
  get diagnostics deleted = row_count;
  -- A summary may hold the words of what is gone.
  update public.ai_memory_contexts as c set summary = null, updated_at = agent_memory.now()
    where c.organization_id = delete_memories.organization_id and c.id = any (touched) and c.summary is not null;
  return counts || jsonb_build_object('contexts', deleted);
end
$$;
comment on function agent_memory.delete_memories(uuid, uuid[], uuid[]) is
  'Deletes memories with all that hangs on them, and those of some conversations that nothing is left in. Answers counts: memories, embeddings, history, links (of what they had superseded), windows (of messages that held their words), contexts. The caller holds locks on the memories and their conversations.';

create or replace function agent_memory.delete_traces(organization_id uuid, scope jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  of_agent bigint := 0;
  of_user bigint := 0;
begin
  if scope - 'agent_id' = '{}' then
    delete from public.agent_memory_stats as s
      where s.organization_id = delete_traces.organization_id and s.agent_id = scope ->> 'agent_id';
    get diagnostics of_agent = row_count;
  elsif scope - 'user_id' = '{}' then
    update agent_memory.audit as a set details = '{"user_id": null, "reason": null}'
      where a.organization_id = delete_traces.organization_id and a.action = 'private_memories_read'
        and a.details ->> 'user_id' = scope ->> 'user_id';
    get diagnostics of_user = row_count;
  end if;
  return jsonb_build_object('statistics', of_agent, 'audits', of_user);
end
$$;
comment on function agent_memory.delete_traces(uuid, jsonb) is
  'For a scope that is one agent: deletes its statistics. For one that is one user: takes the user and the reason out of the audit of looks at their memories; that there was a look, whose and when, stays. Answers counts.';

-- Erasing -------------------------------------------------------------------------------------

create or replace function agent_memory.erasure_receipt(ids uuid[], scope jsonb, counts jsonb)
returns text
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select encode(sha256(convert_to(jsonb_build_object(
    'ids', array(select i from unnest(ids) as i order by i), 'scope', scope, 'counts', counts)::text, 'UTF8')), 'hex')
$$;
comment on function agent_memory.erasure_receipt(uuid[], jsonb, jsonb) is
  'SHA-256, hexadecimal, of {"ids": sorted, "scope": ..., "counts": ...}, as PostgreSQL prints it as jsonb, in UTF-8. Whoever knows the three can prove what was erased; the receipt itself says nothing.';

create or replace function agent_memory.entomb(caller agent_memory.principal, ids uuid[], scope jsonb, is_complete boolean, counts jsonb)
returns agent_memory.erasures
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  erasure agent_memory.erasures;
begin
  insert into agent_memory.tombstones as t (organization_id, digest, erased_at)
  select caller.organization_id, d.digest, d.erased_at
  from (
    select agent_memory.memory_digest(i) as digest, agent_memory.now() as erased_at from unnest(ids) as i
    union all
    select agent_memory.scope_digest(scope ->> 'user_id', scope ->> 'agent_id', scope ->> 'context_key'), agent_memory.settled_since()
    where is_complete and not scope ? 'ids'
    order by digest
  ) as d
  on conflict (organization_id, digest) do update set erased_at = greatest(t.erased_at, excluded.erased_at);
  insert into agent_memory.erasures as e (organization_id, erased_by, counts, receipt)
  values (caller.organization_id, case when caller.person = scope ->> 'user_id' then null else caller.subject end, counts,
          agent_memory.erasure_receipt(ids, scope, counts))
  returning * into erasure;
  return erasure;
end
$$;
comment on function agent_memory.entomb(agent_memory.principal, uuid[], jsonb, boolean, jsonb) is
  'Remembers an erasure without anything of what it was: tombstones of the ids and, if all of the scope is gone, of the scope, which holds for what was written before settled_since().';

create or replace function agent_memory.erase(
  caller agent_memory.principal, asked jsonb, is_private_too boolean, dry_run boolean)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  scope jsonb := agent_memory.erasure_scope(caller, asked);
  named uuid[];
  conversations uuid[];
  touched uuid[];
  locked uuid[] := '{}';
  ids uuid[];
  remaining bigint;
  counts jsonb;
  erasure agent_memory.erasures;
begin
  perform agent_memory.lock_erasures(caller.organization_id, false);
  loop
    -- Asked again, for what was written while this waited.
    named := agent_memory.named_memories(caller.organization_id, coalesce(scope, '{"ids": []}'));
    conversations := agent_memory.named_conversations(caller.organization_id, scope);
    touched := conversations || array(
      select distinct m.context_id from public.ai_memories as m
      where m.organization_id = caller.organization_id and m.id = any (named) and m.context_id is not null);
    exit when not exists (select unnest(touched) except select unnest(locked));
    locked := agent_memory.lock_conversations(caller.organization_id, touched);
  end loop;
  perform agent_memory.lock_memories(caller.organization_id, named, false);
  select coalesce(array_agg(m.id order by m.id) filter (where m.is_allowed), '{}'), count(*) filter (where not m.is_allowed)
    into ids, remaining
    from (
      select m.id, is_private_too or coalesce(agent_memory.may_write(
               m.visibility, m.user_id, m.agent_id, caller.role, caller.person, caller.program), false) as is_allowed
      from public.ai_memories as m
      where m.organization_id = caller.organization_id and m.id = any (named)) as m;
  conversations := conversations || array(
    select distinct m.context_id from public.ai_memories as m where m.organization_id = caller.organization_id and m.id = any (ids));
  select array_agg(c.id) filter (where c.is_allowed), remaining + count(*) filter (where not c.is_allowed)
    into conversations, remaining
    from (
      select c.id, is_private_too or coalesce(agent_memory.may_write(
               c.visibility, c.user_id, c.agent_id, caller.role, caller.person, caller.program), false) as is_allowed
      from public.ai_memory_contexts as c
      where c.organization_id = caller.organization_id and c.id = any (conversations)) as c;
  begin
    counts := agent_memory.delete_memories(caller.organization_id, ids, conversations)
      || case when remaining = 0 then agent_memory.delete_traces(caller.organization_id, scope) else '{"statistics": 0, "audits": 0}' end;
    -- A dry run counts by doing it, and takes it back.
    if dry_run then
      raise exception using errcode = 'PMDRY', message = 'dry run';
    elsif scope is not null and (remaining = 0 and not scope ? 'ids' or exists (select from jsonb_each(counts) as c where c.value <> '0')) then
      erasure := agent_memory.entomb(caller, ids, scope, remaining = 0, counts);
    end if;
  exception
    when sqlstate 'PMDRY' then null;
  end;
  return jsonb_build_object(
    'memories', counts -> 'memories', 'counts', counts, 'scope', scope, 'dry_run', dry_run,
    'remaining', case when caller.role in ('owner', 'admin') then remaining end,
    'id', erasure.id, 'erased_at', erasure.erased_at, 'receipt', erasure.receipt);
end
$$;
comment on function agent_memory.erase(agent_memory.principal, jsonb, boolean, boolean) is
  'What erase_memories() does for a caller, who is trusted here: with is_private_too, to the private memories of others as well.';

create or replace function public.erase_memories(scope jsonb, dry_run boolean default false)
returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller agent_memory.principal := agent_memory.require_writer('forget');
begin
  return agent_memory.erase(caller, scope, caller.role in ('owner', 'admin') and (
    select o.admins_read_private from agent_memory.organizations as o where o.organization_id = caller.organization_id), coalesce(dry_run, false));
end
$$;
comment on function public.erase_memories(jsonb, boolean) is
  'Deletes the memories that a scope names, forgotten and superseded ones too, with their vectors, history, conversations, and their words in the windows of neighbours, for good. A scope holds at least one of ids, user_id, agent_id, context_key; all that it holds must match. For those who may change the memories; of owners and admins, the private memories of others remain unless the organization lets them look at those. Answers {"memories", "counts", "scope" (as narrowed to what is the caller''s), "remaining" (for owners and admins: how much of the scope they may not erase), "dry_run", "id", "erased_at", "receipt"}, the last three null if nothing was done. Restores and imports leave out what was erased. Raises PM001, PM002, PM006.';

create or replace function public.memory_erasures(match_limit integer default 100, before uuid default null)
returns table (id uuid, erased_at timestamptz, erased_by text, counts jsonb, receipt text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  caller constant agent_memory.principal := agent_memory.require_admin('admin');
begin
  if coalesce(match_limit, 0) not between 1 and 1000 then
    raise exception using errcode = 'PM003', message = 'match_limit must be from 1 to 1000';
  end if;
  return query
    select e.id, e.erased_at, e.erased_by, e.counts, e.receipt
    from agent_memory.erasures as e
    where e.organization_id = caller.organization_id and (memory_erasures.before is null or e.id < memory_erasures.before)
    order by e.id desc limit match_limit;
end
$$;
comment on function public.memory_erasures(integer, uuid) is
  'That something was erased, when, how much and by whom, newest first, 1 to 1000 at a time, those before the id `before`. For owners and admins. Raises PM001, PM002, PM003.';
