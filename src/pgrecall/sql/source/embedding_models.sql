-- Embedding models ---------------------------------------------------------------------------

select agent_memory.define_type('model_status', '
  agent_id text, model text, dimension integer, state text, memories bigint, vectors bigint,
  missing bigint, changed_at timestamptz');
comment on type agent_memory.model_status is
  'One model of an agent: its state (current, next, former, dropped; none where the agent has no model), how many memories the agent has, how many of them have a vector of it and how many lack one, and since when it is in that state (null for the current one).';

select agent_memory.define_type('missing_embedding', 'id uuid, text text, digest text');
comment on type agent_memory.missing_embedding is
  'A memory without a vector: its id, the text that the vector is to be made of, and a digest of that text, which is given back with the vector.';

select agent_memory.define_type('stored_embedding', 'ordinal integer, id uuid, status text, code text, reason text');
comment on type agent_memory.stored_embedding is
  'What became of one vector: its ordinal from 1, the memory''s id, and a status: stored; skipped (there was nothing to do, the text has changed, or there is no such memory); rejected. code says which, reason says it in words.';

do $tables$
begin
  if pg_catalog.to_regclass('agent_memory.models') is null then
    create table agent_memory.models (
      organization_id uuid not null references agent_memory.organizations on delete cascade,
      agent_id text not null check (char_length(agent_id) between 1 and 255),
      model text not null check (char_length(model) between 1 and 255),
      dimension integer not null check (dimension between 1 and 16000),
      state text not null check (state in ('next', 'former', 'dropped')),
      changed_at timestamptz not null default agent_memory.now(),
      changed_by text not null,
      primary key (organization_id, agent_id, model)
    );
    create index models_model_idx on agent_memory.models (organization_id, model);
    alter table agent_memory.models enable row level security;
  end if;
end
$tables$;
comment on table agent_memory.models is 'The embedding models of an agent besides its current one; written by functions, read by the members of the organization.';
comment on column agent_memory.models.state is 'next: being filled in. former: current until a switch. dropped: its vectors are gone, or going, and no more are taken.';
comment on column agent_memory.models.changed_by is 'Who brought it into this state: the subject of the claims.';

-- Who, and what -------------------------------------------------------------------------------

create or replace function agent_memory.kept_agent(caller agent_memory.principal, agent_id text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  agent text := coalesce(kept_agent.agent_id, caller.program);
begin
  if caller.role not in ('owner', 'admin') and (caller.program is null or agent <> caller.program) then
    raise exception using errcode = 'PM002',
      message = 'the embedding models of an agent are for owners, admins and the agent''s own program';
  elsif coalesce(char_length(agent), 0) not between 1 and 255 then
    raise exception using errcode = 'PM003', message = 'agent_id must name an agent, in 1 to 255 characters';
  end if;
  return agent;
end
$$;
comment on function agent_memory.kept_agent(agent_memory.principal, text) is
  'The agent whose models are meant, by default the caller''s own; PM002 if they are not for this caller, PM003 if none is named.';

create or replace function agent_memory.count_missing(organization_id uuid, agent_id text, model text)
returns table (memories bigint, missing bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set jit = off
-- Where statistics are older than the vectors, a nested loop is chosen that takes minutes.
set enable_nestloop = off
set enable_seqscan = off
as $$
begin
  return query
    select count(*), count(*) filter (where e.memory_id is null)
    from public.ai_memories as m
    left join agent_memory.embeddings as e
      on e.organization_id = count_missing.organization_id and e.model = count_missing.model and e.memory_id = m.id
     and e.piece = 0
    where m.organization_id = count_missing.organization_id and m.agent_id = count_missing.agent_id;
end
$$;
comment on function agent_memory.count_missing(uuid, text, text) is
  'How many memories an agent holds, forgotten and superseded ones included, since those can be recalled again; and how many of them have no vector of a model.';

-- Filling in ----------------------------------------------------------------------------------

create or replace function public.add_memory_model(model text, dimension integer, agent_id text default null)
returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  caller agent_memory.principal := agent_memory.require_member('administer');
  agent text := agent_memory.kept_agent(caller, add_memory_model.agent_id);
  current text;
  counted record;
begin
  perform agent_memory.require_vectors();
  if coalesce(char_length(add_memory_model.model), 0) not between 1 and 255
     or coalesce(add_memory_model.dimension, 0) not between 1 and 16000 then
    raise exception using errcode = 'PM003', message = 'a model needs a name of up to 255 characters and a dimension from 1 to 16000';
  end if;
  perform from agent_memory.organizations as o where o.organization_id = caller.organization_id for key share;
  select c.embedding_model into current from public.agent_memory_config as c
    where c.organization_id = caller.organization_id and c.agent_id = agent;
  if current <> add_memory_model.model then
    insert into agent_memory.models as m (organization_id, agent_id, model, dimension, state, changed_at, changed_by)
    values (caller.organization_id, agent, add_memory_model.model, add_memory_model.dimension, 'next', agent_memory.now(), caller.subject)
    on conflict (organization_id, agent_id, model) do update
      set dimension = excluded.dimension, state = excluded.state, changed_at = excluded.changed_at, changed_by = excluded.changed_by
      where m.state = 'dropped';
  end if;
  -- An agent without a model is settled on this one, as by a first vector.
  perform agent_memory.settle_model(caller.organization_id, agent, add_memory_model.model, add_memory_model.dimension);
  perform agent_memory.refuse_dimension(caller.organization_id, add_memory_model.model, add_memory_model.dimension);
  select * into counted from agent_memory.count_missing(caller.organization_id, agent, add_memory_model.model);
  return jsonb_build_object('agent_id', agent, 'model', add_memory_model.model, 'is_current',
    current is null or current = add_memory_model.model, 'memories', counted.memories, 'missing', counted.missing);
end
$$;
comment on function public.add_memory_model(text, integer, text) is
  'Has another model filled in beside an agent''s current one: from now on memories may be written with its vectors too. An agent without a model is settled on this one. Safe to repeat. Answers {"agent_id", "model", "is_current", "memories", "missing"}. For owners, admins and the agent''s own program without a key. Raises PM001, PM002, PM003, PM005, PM007.';

create or replace function public.missing_memory_embeddings(
  model text, agent_id text default null, after uuid default null, match_limit integer default 100)
returns setof agent_memory.missing_embedding
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set jit = off
-- A page is a stretch of the primary key.
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  caller agent_memory.principal := agent_memory.require_member('administer');
  agent text := agent_memory.kept_agent(caller, missing_memory_embeddings.agent_id);
begin
  perform agent_memory.require_vectors();
  if coalesce(match_limit, 0) not between 1 and 1000 then
    raise exception using errcode = 'PM003', message = 'match_limit must be from 1 to 1000';
  elsif model is null then
    raise exception using errcode = 'PM003', message = 'model must name an embedding model';
  end if;
  return query
    select m.id, agent_memory.embedded_text(m.speaker, m.content), agent_memory.text_digest(m.speaker, m.content)
    from (
      select m.id, m.speaker, m.content, sum(octet_length(m.content)) over (order by m.id rows unbounded preceding) as octets
      from public.ai_memories as m
      where m.organization_id = caller.organization_id and m.agent_id = agent
        and (missing_memory_embeddings.after is null or m.id > missing_memory_embeddings.after)
        and agent_memory.may_read(m.visibility, m.user_id, m.agent_id, caller.person, caller.program)
        and agent_memory.may_write(m.visibility, m.user_id, m.agent_id, caller.role, caller.person, caller.program)
        and not exists (
          select from agent_memory.embeddings as e
          where e.organization_id = caller.organization_id and e.model = missing_memory_embeddings.model and e.memory_id = m.id
          -- Looked up for each memory: joined, all vectors might be read for each page.
          offset 0)
      order by m.id limit match_limit) as m
    where m.octets <= 16000000 or m.octets = octet_length(m.content)
    order by m.id;
end
$$;
comment on function public.missing_memory_embeddings(text, text, uuid, integer) is
  'The memories of an agent that have no vector of a model, in the order of their ids, those after the id `after`: 1 to 1000 of them, and fewer where their texts have more than 16 MB. None: there are no more. Only what the caller may read and change: the private memories of others are for the agent''s own program alone. For owners, admins and the agent''s own program without a key. Raises PM001, PM002, PM003, PM007.';

create or replace function agent_memory.embedding_answers(organization_id uuid, ids uuid[], model text, embeddings jsonb)
returns setof agent_memory.stored_embedding
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select i.ordinal, i.id, case c.code when 'stored' then 'stored' when 'invalid_embedding' then 'rejected' else 'skipped' end,
           c.code, r.reason
    from (select e.ordinal::integer as ordinal, e.item ->> 'digest' as digest, known.id,
                 row_number() over (partition by known.id order by e.ordinal) as place,
                 (e.item ->> 'embedding') is not null and agent_memory.is_storable(e.item ->> 'embedding') as is_vector,
                 agent_memory.piece_refusal(e.item) as refusal
          from jsonb_array_elements(embeddings) with ordinality as e (item, ordinal)
          left join unnest(embedding_answers.ids) as known (id) on known.id::text = lower(e.item ->> 'id')) as i
    cross join lateral (select case
      when not i.is_vector or i.refusal is not null then 'invalid_embedding'
      when i.id is null then 'not_found'
      when i.place > 1 or exists (
          select from agent_memory.embeddings as e
          where e.organization_id = embedding_answers.organization_id and e.model = embedding_answers.model and e.memory_id = i.id
          offset 0)
        then 'has_vector'
      when i.digest is distinct from (
          select agent_memory.text_digest(m.speaker, m.content) from public.ai_memories as m
          where m.organization_id = embedding_answers.organization_id and m.id = i.id) then 'text_changed'
      else 'stored'
    end offset 0) as c (code)
    cross join lateral (select case c.code
      when 'invalid_embedding' then coalesce(case when i.is_vector then i.refusal end,
        'embedding must be an array of numbers from -65504 to 65504, not all of them zero or nearly so')
      when 'not_found' then 'no such memory of this agent, or none that the caller may change'
      when 'has_vector' then 'it has a vector of this model already'
      when 'text_changed' then 'its text has changed; ask for it again'
    end) as r (reason)
    order by i.ordinal;
end
$$;
comment on function agent_memory.embedding_answers(uuid, uuid[], text, jsonb) is
  'What becomes of each of the vectors that store_memory_embeddings() is given, for the memories `ids` that it holds locked.';

create or replace function public.store_memory_embeddings(model text, embeddings jsonb, agent_id text default null)
returns setof agent_memory.stored_embedding
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller agent_memory.principal := agent_memory.require_member('administer');
  agent text := agent_memory.kept_agent(caller, store_memory_embeddings.agent_id);
  ids uuid[];
  answers agent_memory.stored_embedding[];
begin
  perform agent_memory.require_vectors();
  if jsonb_typeof(embeddings) is distinct from 'array' or jsonb_array_length(embeddings) > 1000 then
    raise exception using errcode = 'PM003', message = 'embeddings must be an array of at most 1,000 objects',
      hint = 'Such as [{"id": "…", "digest": "…", "embedding": [0.1, 0.2]}], the first two as missing_memory_embeddings() gave them.';
  elsif coalesce(char_length(model), 0) not between 1 and 255 then
    raise exception using errcode = 'PM003', message = 'model must name an embedding model';
  end if;
  ids := array(
    select distinct lower(item ->> 'id')::uuid from jsonb_array_elements(embeddings) as item
    where item ->> 'id' ~* '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$');
  -- Locked, so that no text changes and nobody else stores the same vector meanwhile.
  for attempt in 1 .. 2 loop
    ids := array(
      select m.id from public.ai_memories as m
      where m.organization_id = caller.organization_id and m.id = any (ids) and m.agent_id = agent
        and agent_memory.may_read(m.visibility, m.user_id, m.agent_id, caller.person, caller.program)
        and agent_memory.may_write(m.visibility, m.user_id, m.agent_id, caller.role, caller.person, caller.program));
    perform agent_memory.lock_memories(caller.organization_id, ids, false) where attempt = 1;
  end loop;
  answers := array(select agent_memory.embedding_answers(caller.organization_id, ids, model, embeddings));
  perform agent_memory.add_vectors(
    caller.organization_id, agent, model, array_agg(a.id order by a.id, v.place),
    array_agg(row(v.vector)::agent_memory.vector_value order by a.id, v.place), array_agg(v.place::integer - 1 order by a.id, v.place))
  from unnest(answers) as a
  cross join lateral unnest(agent_memory.item_vectors(embeddings -> a.ordinal - 1)) with ordinality as v (vector, place)
  where a.status = 'stored';
  return query select * from unnest(answers);
end
$$;
comment on function public.store_memory_embeddings(text, jsonb, text) is
  'Stores vectors of a model that was added, or is current: a list of {"id", "digest", "embedding"}, with piece_embeddings for a long text, the first two as missing_memory_embeddings() gave them, and answers for each. A memory that has a vector meanwhile, or another text, is skipped, so any number of clients may do this at once. For owners, admins and the agent''s own program without a key. Raises PM001, PM002, PM003, PM005, PM007.';

-- Switching and dropping ----------------------------------------------------------------------

create or replace function agent_memory.refuse_gaps(organization_id uuid, agent_id text, model text, allowed integer)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  counted record;
begin
  select * into counted from agent_memory.count_missing(refuse_gaps.organization_id, refuse_gaps.agent_id, refuse_gaps.model);
  if counted.missing > allowed then
    raise exception using errcode = 'PM007',
      message = format('%s of %s memories of agent %s have no vector of %s', counted.missing, counted.memories, refuse_gaps.agent_id, refuse_gaps.model),
      hint = 'Fill them in first: pgrecall embeddings backfill, run for the agent. Or allow some gaps (allow_missing), which are found by their words alone until they are filled in.';
  end if;
end
$$;
comment on function agent_memory.refuse_gaps(uuid, text, text, integer) is
  'Raises PM007, with counts, while more memories of an agent than are allowed lack a vector of a model.';

create or replace function public.switch_memory_model(model text, agent_id text default null, allow_missing integer default 0)
returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  caller agent_memory.principal := agent_memory.require_member('administer');
  agent text := agent_memory.kept_agent(caller, switch_memory_model.agent_id);
  former record;
  wanted record;
  counted record;
begin
  perform agent_memory.require_vectors();
  if coalesce(allow_missing, -1) < 0 then
    raise exception using errcode = 'PM003', message = 'allow_missing must be 0 or more';
  elsif exists (
      select from agent_memory.models as m
      where m.organization_id = caller.organization_id and m.agent_id = agent and m.model = switch_memory_model.model
        and m.state <> 'dropped') then
    -- Counted once before anybody has to wait, and once while nobody writes.
    perform agent_memory.refuse_gaps(caller.organization_id, agent, switch_memory_model.model, allow_missing);
  end if;
  perform from agent_memory.organizations as o where o.organization_id = caller.organization_id for update;
  select c.embedding_model, c.embedding_dimension into former from public.agent_memory_config as c
    where c.organization_id = caller.organization_id and c.agent_id = agent;
  if former.embedding_model is distinct from switch_memory_model.model then
    select m.model, m.dimension into wanted from agent_memory.models as m
      where m.organization_id = caller.organization_id and m.agent_id = agent and m.model = switch_memory_model.model
        and m.state <> 'dropped';
    if wanted.model is null or former.embedding_model is null then
      raise exception using errcode = 'PM004', message = format('agent %s has no model %s to switch to', agent, switch_memory_model.model),
        hint = 'Fill it in first: pgrecall embeddings backfill.';
    end if;
    perform agent_memory.refuse_gaps(caller.organization_id, agent, switch_memory_model.model, allow_missing);
    update public.agent_memory_config as c
      set embedding_model = wanted.model, embedding_dimension = wanted.dimension, updated_at = agent_memory.now()
      where c.organization_id = caller.organization_id and c.agent_id = agent;
    delete from agent_memory.models as m
      where m.organization_id = caller.organization_id and m.agent_id = agent and m.model in (wanted.model, former.embedding_model);
    insert into agent_memory.models as m (organization_id, agent_id, model, dimension, state, changed_by)
      values (caller.organization_id, agent, former.embedding_model, former.embedding_dimension, 'former', caller.subject);
  end if;
  select * into counted from agent_memory.count_missing(caller.organization_id, agent, switch_memory_model.model);
  return jsonb_build_object('agent_id', agent, 'model', switch_memory_model.model,
    'former', nullif(former.embedding_model, switch_memory_model.model), 'memories', counted.memories, 'missing', counted.missing);
end
$$;
comment on function public.switch_memory_model(text, text, integer) is
  'Makes a model that was added, or was current before, an agent''s current one, at once; the former one stays beside it, and recall and writes with it go on to work. Refused while more than allow_missing memories lack a vector of the model. Writes under way are waited for, and new ones wait for the count. Answers {"agent_id", "model", "former", "memories", "missing"}; former is null if it was current already. For owners, admins and the agent''s own program without a key. Raises PM001 to PM004, PM007.';

create or replace function public.drop_memory_model(model text, agent_id text default null, vector_limit integer default 10000)
returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_nestloop = off
set enable_seqscan = off
set enable_bitmapscan = off
as $$
#variable_conflict use_column
declare
  caller agent_memory.principal := agent_memory.require_member('administer');
  agent text := agent_memory.kept_agent(caller, drop_memory_model.agent_id);
  doomed uuid[];
begin
  perform agent_memory.require_vectors();
  if coalesce(vector_limit, 0) not between 1 and 100000 then
    raise exception using errcode = 'PM003', message = 'vector_limit must be from 1 to 100000';
  end if;
  perform from agent_memory.organizations as o where o.organization_id = caller.organization_id for update;
  if exists (select from public.agent_memory_config as c
             where c.organization_id = caller.organization_id and c.agent_id = agent and c.embedding_model = drop_memory_model.model) then
    raise exception using errcode = 'PM007', message = format('%s is the model that agent %s uses', drop_memory_model.model, agent),
      hint = 'Switch to another one first: pgrecall embeddings switch.';
  end if;
  update agent_memory.models as m
    set state = 'dropped', changed_at = agent_memory.now(), changed_by = caller.subject
    where m.organization_id = caller.organization_id and m.agent_id = agent and m.model = drop_memory_model.model
      and m.state <> 'dropped';
  -- The first of them by the primary key, and one stretch of it for the deletion.
  doomed := array(
    select e.memory_id from agent_memory.embeddings as e
    where e.organization_id = caller.organization_id and e.model = drop_memory_model.model and e.piece = 0 and exists (
      select from public.ai_memories as m
      where m.organization_id = caller.organization_id and m.id = e.memory_id and m.agent_id = agent
      offset 0)
    order by e.memory_id limit vector_limit);
  delete from agent_memory.embeddings as e
    using unnest(doomed) as d (id)
    where e.organization_id = caller.organization_id and e.model = drop_memory_model.model and e.memory_id = d.id
      and e.memory_id between doomed[1] and doomed[cardinality(doomed)];
  if doomed = '{}' and not exists (
      select from agent_memory.models as m
      where m.organization_id = caller.organization_id and m.agent_id = agent and m.model = drop_memory_model.model) then
    raise exception using errcode = 'PM004', message = format('agent %s has no model %s', agent, drop_memory_model.model);
  end if;
  return jsonb_build_object('agent_id', agent, 'model', drop_memory_model.model, 'vectors', cardinality(doomed),
    'is_done', cardinality(doomed) < vector_limit);
end
$$;
comment on function public.drop_memory_model(text, text, integer) is
  'Ends a model that is not an agent''s current one: its vectors are taken no more, and up to vector_limit of them go. Repeat until is_done, so that no transaction is long. Answers {"agent_id", "model", "vectors", "is_done"}. For owners, admins and the agent''s own program without a key. Raises PM001 to PM004, PM007.';

-- How far it has come -------------------------------------------------------------------------

create or replace function public.memory_models(agent_id text default null)
returns setof agent_memory.model_status
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_nestloop = off
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
  caller agent_memory.principal := agent_memory.require_member('administer');
  -- Owners and admins who name no agent see all of them.
  agent text := case when memory_models.agent_id is not null or caller.role not in ('owner', 'admin')
    then agent_memory.kept_agent(caller, memory_models.agent_id) end;
begin
  perform agent_memory.require_vectors();
  return query
    with held as (
      select m.agent_id, count(*) as memories
      from public.ai_memories as m
      where m.organization_id = caller.organization_id and (agent is null or m.agent_id = agent)
      group by m.agent_id
    ), stored as (
      select m.agent_id, e.model, count(*) as vectors
      from agent_memory.embeddings as e
      join public.ai_memories as m on m.organization_id = caller.organization_id and m.id = e.memory_id
      where e.organization_id = caller.organization_id and e.piece = 0 and (agent is null or m.agent_id = agent)
      group by m.agent_id, e.model
    ), settled as (
      select c.agent_id, c.embedding_model as model, c.embedding_dimension as dimension, 'current' as state,
             null::timestamptz as changed_at
      from public.agent_memory_config as c
      where c.organization_id = caller.organization_id and c.embedding_model is not null
      union all
      select b.agent_id, b.model, b.dimension, b.state, b.changed_at
      from agent_memory.models as b
      where b.organization_id = caller.organization_id
    ), models as (
      select agent_id, model, s.dimension, coalesce(s.state, 'dropped') as state, coalesce(v.vectors, 0) as vectors,
             s.changed_at
      from settled as s full join stored as v using (agent_id, model)
      where (agent is null or agent_id = agent) and (v.vectors is not null or s.state <> 'dropped')
    )
    select agent_id, m.model, m.dimension, coalesce(m.state, 'none'), coalesce(h.memories, 0),
           coalesce(m.vectors, 0), coalesce(h.memories, 0) - coalesce(m.vectors, 0), m.changed_at
    from models as m full join held as h using (agent_id)
    order by agent_id, array_position(array['current', 'next', 'former', 'dropped'], m.state), m.model;
end
$$;
comment on function public.memory_models(text) is
  'The models of an agent, by default the caller''s own (for owners and admins: of all agents), with counts of all memories that the agents hold. For owners, admins and the agent''s own program without a key. Raises PM001, PM002, PM003, PM007.';

-- Vectors of dropped models -------------------------------------------------------------------

create or replace function agent_memory.dropped_vectors()
returns table (organization_id uuid, agent_id text, model text, vectors bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  if not agent_memory.has_vector() then
    return;
  end if;
  return query
    select d.organization_id, d.agent_id, d.model, count(*)
    from agent_memory.models as d
    join agent_memory.embeddings as e on e.organization_id = d.organization_id and e.model = d.model
    join public.ai_memories as m on m.organization_id = d.organization_id and m.id = e.memory_id and m.agent_id = d.agent_id
    where d.state = 'dropped'
    group by d.organization_id, d.agent_id, d.model
    order by d.organization_id, d.agent_id, d.model;
end
$$;
comment on function agent_memory.dropped_vectors() is
  'How many vectors of dropped models are still there, of all organizations: drop_memory_model() was not repeated to its end.';

create or replace function agent_memory.delete_dropped(organization_id uuid, agent_id text, model text, match_limit integer)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  deleted bigint;
begin
  -- As drop_memory_model() does, so that a model that is added again meanwhile is left alone.
  perform from agent_memory.organizations as o where o.organization_id = delete_dropped.organization_id for update;
  delete from agent_memory.embeddings as e
    using (
      select v.memory_id from agent_memory.embeddings as v
      join public.ai_memories as m on m.organization_id = delete_dropped.organization_id and m.id = v.memory_id
      where v.organization_id = delete_dropped.organization_id and v.model = delete_dropped.model
        and m.agent_id = delete_dropped.agent_id and exists (
          select from agent_memory.models as d
          where d.organization_id = delete_dropped.organization_id and d.agent_id = delete_dropped.agent_id
            and d.model = delete_dropped.model and d.state = 'dropped')
      order by v.memory_id limit match_limit) as doomed
    where e.organization_id = delete_dropped.organization_id and e.model = delete_dropped.model
      and e.memory_id = doomed.memory_id;
  get diagnostics deleted = row_count;
  return deleted;
end
$$;
comment on function agent_memory.delete_dropped(uuid, text, text, integer) is
  'Deletes up to match_limit vectors of a model that an agent has dropped, and says how many. 0: none is left.';
