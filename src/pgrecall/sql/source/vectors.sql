-- Vectors ------------------------------------------------------------------------------------

select agent_memory.define_type('vector_value', 'vector real[]');
comment on type agent_memory.vector_value is
  'A vector among others of any dimension, which an array of arrays can''t hold.';

create or replace function agent_memory.exact_limit()
returns integer
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  told constant text := current_setting('pgrecall.exact_limit', true);
begin
  -- Of the database, or of a session of the owner's. Others could have their recall say more of what is estimated.
  return case when told ~ '^[1-9][0-9]{0,8}$' and (
      pg_has_role(session_user, (select n.nspowner from pg_namespace as n where n.nspname = 'agent_memory'), 'member')
      or exists (
        select from pg_db_role_setting as s
        where s.setrole = 0 and s.setdatabase in (0, (select d.oid from pg_database as d where d.datname = current_database()))
          and 'pgrecall.exact_limit=' || told = any (s.setconfig)))
    then told::integer else 5000 end;
end
$$;
comment on function agent_memory.exact_limit() is
  'How many memories in scope are compared one by one; above, indexes choose candidates. 5,000, as measured (docs/benchmarks.md), unless the setting pgrecall.exact_limit of the database names another number: ALTER DATABASE ... SET pgrecall.exact_limit = 8000.';

-- Without pgvector --------------------------------------------------------------------------

create or replace function agent_memory.has_vector()
returns boolean
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select from pg_catalog.pg_attribute as a
    where a.attrelid = pg_catalog.to_regclass('agent_memory.embeddings')
      and a.attname = 'embedding' and not a.attisdropped);
end
$$;
comment on function agent_memory.has_vector() is 'Whether vectors can be stored and compared here.';

create or replace function agent_memory.vector_schema()
returns name
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select n.nspname
  from pg_catalog.pg_extension as e
  join pg_catalog.pg_namespace as n on n.oid = e.extnamespace
  join pg_catalog.pg_type as t on t.typnamespace = n.oid and t.typname = 'halfvec'
  where e.extname = 'vector'
$$;
comment on function agent_memory.vector_schema() is
  'Where pgvector lives: public on plain servers, extensions on Supabase. Null without pgvector, and with releases before 0.7, which lack halfvec.';

-- The table is always there, and so are the links to it: once pgvector comes, that adds a column to a
-- table that nobody has written to, and locks nothing that others use.
do $tables$
begin
  if pg_catalog.to_regclass('agent_memory.embeddings') is null then
    create table agent_memory.embeddings (
      organization_id uuid not null,
      memory_id uuid not null,
      model text not null check (char_length(model) between 1 and 255),
      piece integer not null default 0 check (piece >= 0),
      is_indexed boolean not null default false,
      created_at timestamptz not null default agent_memory.now(),
      primary key (organization_id, memory_id, model, piece),
      constraint embeddings_memory_fk foreign key (organization_id, memory_id)
        references public.ai_memories (organization_id, id) on delete cascade
    );
    -- Vectors of up to some 4,000 dimensions stand in the row: among those of 1,024 a recall takes a fifth less.
    alter table agent_memory.embeddings set (toast_tuple_target = 8160);
    create index embeddings_exact_idx on agent_memory.embeddings (organization_id, model) where not is_indexed;
    create index embeddings_indexed_idx on agent_memory.embeddings (organization_id, model) where is_indexed;
    create index embeddings_pieces_idx on agent_memory.embeddings (organization_id, model) where piece > 0;
    alter table agent_memory.embeddings enable row level security;
  end if;
end
$tables$;
comment on table agent_memory.embeddings is 'The vectors of memories, one a model, and of long texts one a piece; where the server has pgvector, in the column embedding.';
comment on column agent_memory.embeddings.piece is 'Which piece of a long text it is of; 0 of all other texts, and of the first piece.';
comment on column agent_memory.embeddings.is_indexed is 'Whether the HNSW index holds it; false for the first vectors of an organization, which are compared exactly.';

do $without_vector$
begin
  if agent_memory.vector_schema() is not null then
    return;
  end if;
  if exists (select from pg_catalog.pg_extension where extname = 'vector') then
    raise warning 'pgvector is older than 0.7; going on without it. ALTER EXTENSION vector UPDATE; then run the migrations again.';
  end if;
  create or replace function agent_memory.similarities(organization_id uuid, model text, query real[], ids uuid[])
    returns table (memory_id uuid, similarity real)
    language plpgsql stable parallel safe set search_path = pg_catalog, pg_temp as 'begin end';
  create or replace function agent_memory.nearest(organization_id uuid, model text, query real[], match_limit integer)
    returns table (memory_id uuid, similarity real)
    language plpgsql stable parallel safe set search_path = pg_catalog, pg_temp as 'begin end';
  create or replace function agent_memory.stored_dimension(organization_id uuid, model text)
    returns integer
    language sql stable parallel safe set search_path = pg_catalog, pg_temp as 'select null::pg_catalog.int4';
  create or replace function agent_memory.stored_models(organization_id uuid)
    returns text[]
    language sql stable parallel safe set search_path = pg_catalog, pg_temp as 'select null::pg_catalog.text[]';
  create or replace function agent_memory.store_embeddings(
      organization_id uuid, model text, ids uuid[], vectors agent_memory.vector_value[], pieces integer[])
    returns void
    language plpgsql set search_path = pg_catalog, pg_temp as 'begin end';
  create or replace function agent_memory.drop_embeddings(organization_id uuid, memory_id uuid)
    returns void
    language plpgsql set search_path = pg_catalog, pg_temp as 'begin end';
  -- As pgvector would have it, so that an item is not refused only once pgvector has come.
  create or replace function agent_memory.is_storable(embedding text)
    returns boolean
    language plpgsql stable set search_path = pg_catalog, pg_temp as $body$
    begin
      return embedding is null or (embedding ~ '^\[[-+0-9.eE, ]+\]$' and coalesce((
        select max(abs(e)) between 6e-8 and 65504 and count(*) <= 16000
        from unnest(translate(embedding, '[]', '{}')::real[]) as e), false));
    exception
      when data_exception then
        return false;
    end
    $body$;
  create or replace function agent_memory.read_vectors(embeddings text[])
    returns agent_memory.vector_value[]
    language plpgsql stable set search_path = pg_catalog, pg_temp as $body$
    begin
      return (
        select case when bool_and(v.is_storable) is not false then coalesce(array_agg(
          row(case when v.is_storable then translate(v.embedding, '[]', '{}')::real[] end)::agent_memory.vector_value), '{}') end
        from (select e as embedding, agent_memory.is_storable(e) as is_storable from unnest(embeddings) as e offset 0) as v);
    end
    $body$;
end
$without_vector$;

-- With pgvector -----------------------------------------------------------------------------

do $with_vector$
declare
  home name := agent_memory.vector_schema();
  dimension integer;
begin
  if home is null then
    return;
  end if;

  if not agent_memory.has_vector() then
    -- DROP EXTENSION vector CASCADE took the column, and left rows of no use.
    delete from agent_memory.embeddings;
    execute pg_catalog.format(
      'alter table agent_memory.embeddings add column embedding %1$I.halfvec not null check (%1$I.l2_norm(embedding) > 0)', home);
  end if;
  -- Dimensions that models have; vectors of any other are compared exactly.
  foreach dimension in array array[256, 384, 512, 768, 1024, 1536, 2048, 3072] loop
    continue when pg_catalog.to_regclass(pg_catalog.format('agent_memory.embeddings_hnsw_%s_idx', dimension)) is not null;
    execute pg_catalog.format($ddl$
      create index embeddings_hnsw_%2$s_idx on agent_memory.embeddings
        using hnsw ((embedding::%1$I.halfvec(%2$s)) %1$I.halfvec_cosine_ops)
        where is_indexed and %1$I.vector_dims(embedding) = %2$s $ddl$, home, dimension);
  end loop;
  execute pg_catalog.format($ddl$
    create or replace function agent_memory.similarities(organization_id uuid, model text, query real[], ids uuid[])
    returns table (memory_id uuid, similarity real)
    language plpgsql stable parallel safe
    set search_path = pg_catalog, pg_temp
    as $body$
    #variable_conflict use_column
    declare
      wanted %1$I.halfvec := query::%1$I.halfvec;
    begin
      if agent_memory.has_pieces(similarities.organization_id, similarities.model) then
        return query
        select e.memory_id, max(1 - (e.embedding operator(%1$I.<=>) wanted))::real
        from agent_memory.embeddings as e
        where e.organization_id = similarities.organization_id and e.model = similarities.model
          and e.memory_id = any (ids)
        group by e.memory_id;
      else
        return query
        select e.memory_id, (1 - (e.embedding operator(%1$I.<=>) wanted))::real
        from agent_memory.embeddings as e
        where e.organization_id = similarities.organization_id and e.model = similarities.model
          and e.memory_id = any (ids);
      end if;
    end
    $body$ $ddl$, home);

  execute pg_catalog.format($ddl$
    create or replace function agent_memory.nearest(organization_id uuid, model text, query real[], match_limit integer)
    returns table (memory_id uuid, similarity real)
    language plpgsql stable
    set search_path = pg_catalog, pg_temp
    as $body$
    #variable_conflict use_column
    declare
      wanted %1$I.halfvec := query::%1$I.halfvec;
      -- Of a long text several pieces may be near.
      vector_limit constant integer := match_limit
        * case when agent_memory.has_pieces(nearest.organization_id, nearest.model) then 4 else 1 end;
      -- Read once pgvector is loaded, which the first of these has done; put back for who uses it beside pgrecall.
      ef_search constant text := current_setting('hnsw.ef_search', true);
      iterative_scan constant text := current_setting('hnsw.iterative_scan', true);
      ids uuid[];
      distances double precision[];
    begin
      perform set_config('hnsw.ef_search', coalesce(
        substring(current_setting('pgrecall.ef_search', true) from '^([1-9][0-9]{0,2}|1000)$'), '200'), true);
      -- Since pgvector 0.8.
      perform set_config('hnsw.iterative_scan', 'relaxed_order', true) where iterative_scan is not null;
      execute format(
        'select array_agg(n.memory_id), array_agg(n.distance)
         from (
           select e.memory_id, e.embedding::%1$I.halfvec(%%1$s) operator(%1$I.<=>) $3::%1$I.halfvec(%%1$s) as distance
           from agent_memory.embeddings as e
           where e.organization_id = $1 and e.model = $2 and e.is_indexed
             and %1$I.vector_dims(e.embedding) = %%1$s
           order by distance limit $4) as n', cardinality(query))
        into ids, distances
        using nearest.organization_id, nearest.model, wanted, vector_limit;
      -- The index is everybody's, and a search of it gives up after so many vectors, whosever they are. What
      -- found fewer than it was to may have lost some of ours among those of others: then all are compared.
      if coalesce(cardinality(ids), 0) < vector_limit then
        ids := null;
      end if;
      return query execute format(
        'with near as (
           (select e.memory_id, (e.embedding operator(%1$I.<=>) $3) + 0 as distance
            from agent_memory.embeddings as e
            where e.organization_id = $1 and e.model = $2 %%1$s
            order by distance limit $4)
           union all
           select * from unnest($6, case when $6 is not null then $7 end))
         select memory_id, (1 - distance)::real from (select %%2$s from near %%3$s) as found
         order by distance limit $5',
        case when ids is not null then 'and not e.is_indexed' else '' end,
        case when vector_limit > match_limit then 'memory_id, min(distance) as distance' else '*' end,
        case when vector_limit > match_limit then 'group by memory_id' else '' end)
      using nearest.organization_id, nearest.model, wanted, vector_limit, match_limit, ids, distances;
      perform set_config('hnsw.ef_search', ef_search, true);
      perform set_config('hnsw.iterative_scan', iterative_scan, true) where iterative_scan is not null;
    end
    $body$ $ddl$, home);

  execute pg_catalog.format($ddl$
    create or replace function agent_memory.stored_dimension(organization_id uuid, model text)
    returns integer
    language plpgsql stable parallel safe
    set search_path = pg_catalog, pg_temp
    -- One row is wanted: the planner would scan the table for it, which is slow for an
    -- organization whose rows are few or late.
    set jit = off
    set enable_seqscan = off
    set enable_bitmapscan = off
    as $body$
    #variable_conflict use_column
    begin
      return (
        select %1$I.vector_dims(e.embedding) from agent_memory.embeddings as e
        where e.organization_id = stored_dimension.organization_id and e.model = stored_dimension.model
        limit 1);
    end
    $body$ $ddl$, home);

  execute pg_catalog.format($ddl$
    create or replace function agent_memory.store_embeddings(
      organization_id uuid, model text, ids uuid[], vectors agent_memory.vector_value[], pieces integer[])
    returns void
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $body$
    #variable_conflict use_column
    declare
      -- Counting thousands takes longer than writing one, so few of the single writes do it, chosen by
      -- a random byte of their id: an organization is noticed to be large some dozen writes later.
      is_large boolean := agent_memory.is_large(
        store_embeddings.organization_id, store_embeddings.model,
        cardinality(ids) > 16 or get_byte(uuid_send(ids[1]), 15) < 8);
    begin
      insert into agent_memory.embeddings as e (organization_id, memory_id, model, piece, embedding, is_indexed, created_at)
      select store_embeddings.organization_id, given.id, store_embeddings.model, given.piece,
             given.vector::%1$I.halfvec, is_large, clock.now
      from unnest(ids, vectors, pieces) as given (id, vector, piece)
      cross join (select agent_memory.now() as now offset 0) as clock
      on conflict (organization_id, memory_id, model, piece)
        do update set embedding = excluded.embedding, created_at = excluded.created_at;
    end
    $body$ $ddl$, home);

  execute pg_catalog.format($ddl$
    create or replace function agent_memory.is_storable(embedding text)
    returns boolean
    language plpgsql stable
    set search_path = pg_catalog, pg_temp
    as $body$
    begin
      return embedding is null or %1$I.l2_norm(embedding::%1$I.halfvec) > 0;
    exception
      when data_exception or program_limit_exceeded then
        return false;
    end
    $body$ $ddl$, home);

  execute pg_catalog.format($ddl$
    create or replace function agent_memory.read_vectors(embeddings text[])
    returns agent_memory.vector_value[]
    language plpgsql stable
    set search_path = pg_catalog, pg_temp
    as $body$
    declare
      vectors agent_memory.vector_value[];
      are_storable boolean;
    begin
      select coalesce(array_agg(row(v.vector::real[])::agent_memory.vector_value), '{}'),
             bool_and(%1$I.l2_norm(v.vector) > 0)
        into vectors, are_storable
        from (select e::%1$I.halfvec as vector from unnest(embeddings) as e offset 0) as v;
      return case when are_storable is not false then vectors end;
    exception
      when data_exception or program_limit_exceeded then
        return null;
    end
    $body$ $ddl$, home);

  create or replace function agent_memory.has_pieces(organization_id uuid, model text)
  returns boolean
  language plpgsql stable parallel safe
  set search_path = pg_catalog, pg_temp
  set jit = off
  set enable_seqscan = off
  as $body$
  begin
    return exists (
      select from agent_memory.embeddings as e
      where e.organization_id = has_pieces.organization_id and e.model = has_pieces.model and e.piece > 0);
  end
  $body$;
  comment on function agent_memory.has_pieces(uuid, text) is
    'Whether an organization has vectors of pieces of long texts.';

  create or replace function agent_memory.stored_models(organization_id uuid)
  returns text[]
  language plpgsql stable parallel safe
  set search_path = pg_catalog, pg_temp
  as $body$
  begin
    return (
      select array_agg(distinct c.embedding_model)
      from public.agent_memory_config as c
      where c.organization_id = stored_models.organization_id and c.embedding_model is not null);
  end
  $body$;

  create or replace function agent_memory.is_large(organization_id uuid, model text, counting boolean)
  returns boolean
  language plpgsql stable parallel safe
  set search_path = pg_catalog, pg_temp
  set jit = off
  set enable_seqscan = off
  set enable_bitmapscan = off
  as $body$
  begin
    if exists (
        select from agent_memory.embeddings as e
        where e.organization_id = is_large.organization_id and e.model = is_large.model and e.is_indexed) then
      return true;
    end if;
    return counting and agent_memory.exact_limit() <= (
      select count(*) from (
        select from agent_memory.embeddings as e
        where e.organization_id = is_large.organization_id and e.model = is_large.model and not e.is_indexed
        limit agent_memory.exact_limit()) as counted);
  end
  $body$;
  comment on function agent_memory.is_large(uuid, text, boolean) is
    'Whether an organization has so many vectors of a model that further ones belong in the HNSW index: whether some are there already, or, when counting, there are enough.';

  create or replace function agent_memory.drop_embeddings(organization_id uuid, memory_id uuid)
  returns void
  language sql
  set search_path = pg_catalog, pg_temp
  as $body$
    delete from agent_memory.embeddings as e
    where e.organization_id = drop_embeddings.organization_id and e.memory_id = drop_embeddings.memory_id
  $body$;
end
$with_vector$;

comment on function agent_memory.similarities(uuid, text, real[], uuid[]) is
  'Cosine similarity, -1 to 1, of the named memories to a query, compared one by one; of a long text, of its nearest piece.';

comment on function agent_memory.nearest(uuid, text, real[], integer) is
  'The memories of an organization that are nearest to a query: exact over its first vectors, by HNSW over all later ones, or exact over these too where the index does not find as many as are asked for, as where it meets too many of other organizations first. HNSW keeps 200 in sight, unless the setting pgrecall.ef_search names another number from 1 to 1000: ALTER DATABASE ... SET pgrecall.ef_search = 400.';

comment on function agent_memory.stored_dimension(uuid, text) is
  'The dimension of a vector that an organization has of a model; null if it has none.';

comment on function agent_memory.stored_models(uuid) is
  'The models that the agents of an organization store vectors of; null if none.';

comment on function agent_memory.store_embeddings(uuid, text, uuid[], agent_memory.vector_value[], integer[]) is
  'Stores vectors of memories, each of a piece of the text, from 0; replaces an earlier one of the model. Where the server has no pgvector, nothing.';

comment on function agent_memory.read_vectors(text[]) is
  'Texts such as [0.1,0.2] as vectors, in order, null for null; null altogether if one of them can''t be stored.';

comment on function agent_memory.is_storable(text) is
  'Whether a text such as [0.1,0.2] is a vector that can be stored: numbers that 16 bits hold, not all of them zero there; null is.';

comment on function agent_memory.drop_embeddings(uuid, uuid) is
  'Drops the vectors of a memory, whose content they no longer describe.';

create or replace function agent_memory.settled_dimension(organization_id uuid, model text)
returns integer
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return coalesce((
    select m.dimension from agent_memory.models as m
    where m.organization_id = settled_dimension.organization_id and m.model = settled_dimension.model and m.state <> 'dropped'
    limit 1), (
    select c.embedding_dimension from public.agent_memory_config as c
    where c.organization_id = settled_dimension.organization_id and c.embedding_model = settled_dimension.model
    limit 1));
end
$$;
comment on function agent_memory.settled_dimension(uuid, text) is
  'The dimension that all agents of an organization store vectors of a model in; null if none does.';

create or replace function agent_memory.refuse_dimension(organization_id uuid, model text, dimension integer)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  -- One after another: of two that begin with a model at once, the second sees the first.
  perform from agent_memory.organizations as o where o.organization_id = refuse_dimension.organization_id for no key update;
  if exists (
      select from public.agent_memory_config as c
      where c.organization_id = refuse_dimension.organization_id and c.embedding_model = refuse_dimension.model
        and c.embedding_dimension <> refuse_dimension.dimension
      union all
      select from agent_memory.models as m
      where m.organization_id = refuse_dimension.organization_id and m.model = refuse_dimension.model
        and m.dimension <> refuse_dimension.dimension and m.state <> 'dropped')
     -- Of a model that is dropped, some may be left for a while.
     or agent_memory.stored_dimension(organization_id, model) <> dimension then
    raise exception using errcode = 'PM005',
      message = format('the vectors of %s stored here have another dimension than %s', model, dimension),
      hint = 'Vectors of two dimensions are of two models: give them two names.';
  end if;
end
$$;
comment on function agent_memory.refuse_dimension(uuid, text, integer) is
  'Raises PM005 if another agent of the organization stores vectors of a model in another dimension: no recall could compare them with one question.';

create or replace function agent_memory.settle_model(organization_id uuid, agent_id text, model text, dimension integer)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  settled record;
  begun integer;
begin
  -- Held until the end, so that a switch or a drop of a model waits for the vectors that come next.
  perform from agent_memory.organizations as o where o.organization_id = settle_model.organization_id for key share;
  insert into public.agent_memory_config as c (organization_id, agent_id, embedding_model, embedding_dimension)
  select settle_model.organization_id, settle_model.agent_id, model, dimension
  where not exists (
    select from public.agent_memory_config as known
    where known.organization_id = settle_model.organization_id and known.agent_id = settle_model.agent_id
      and known.embedding_model is not null)
  on conflict (organization_id, agent_id) do update
    set embedding_model = excluded.embedding_model, embedding_dimension = excluded.embedding_dimension,
        updated_at = excluded.updated_at
    where c.embedding_model is null;
  get diagnostics begun = row_count;
  if begun > 0 then
    perform agent_memory.refuse_dimension(organization_id, model, dimension);
  end if;
  -- In one statement, since a switch may be committed between two.
  select c.embedding_model, c.embedding_dimension,
         (c.embedding_model, c.embedding_dimension) = (settle_model.model, settle_model.dimension) or exists (
           select from agent_memory.models as beside
           where beside.organization_id = settle_model.organization_id and beside.agent_id = settle_model.agent_id
             and beside.model = settle_model.model and beside.dimension = settle_model.dimension
             and beside.state <> 'dropped') as is_taken
    into settled
    from public.agent_memory_config as c
    where c.organization_id = settle_model.organization_id and c.agent_id = settle_model.agent_id;
  if settled.is_taken is not true then
    raise exception using
      errcode = 'PM005',
      message = format('agent %s stores vectors of %s with %s dimensions; these are of %s with %s',
                       agent_id, settled.embedding_model, settled.embedding_dimension, model, dimension),
      hint = 'Use the embedder that the stored vectors came from, or fill this model in beside it: pgrecall embeddings backfill.';
  end if;
end
$$;
comment on function agent_memory.settle_model(uuid, text, text, integer) is
  'Holds an agent to the model and dimension of its first vector, and to those beside it (agent_memory.models) that are not dropped; PM005 for any other.';

create or replace function agent_memory.vectors_of(memories jsonb, drafts agent_memory.draft[])
returns agent_memory.vector_value[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select agent_memory.read_vectors(array(
    select case when d.id is not null and d.code is null then e.item ->> 'embedding' end
    from jsonb_array_elements(memories) with ordinality as e (item, ordinal)
    left join unnest(drafts) as d on d.ordinal = e.ordinal
    order by e.ordinal))
$$;
comment on function agent_memory.vectors_of(jsonb, agent_memory.draft[]) is
  'The vectors of the items, in order; null for those that were refused or are not among the drafts.';

create or replace function agent_memory.add_vectors(
  organization_id uuid, agent_id text, model text, ids uuid[], vectors agent_memory.vector_value[], pieces integer[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  dimension integer;
begin
  if not agent_memory.has_vector() then
    return;
  end if;
  for dimension in select distinct cardinality(v.vector) from unnest(vectors) as v loop
    perform agent_memory.settle_model(organization_id, agent_id, model, dimension);
  end loop;
  perform agent_memory.store_embeddings(organization_id, model, ids, vectors, pieces);
end
$$;
comment on function agent_memory.add_vectors(uuid, text, text, uuid[], agent_memory.vector_value[], integer[]) is
  'Stores vectors of an agent''s memories, those of the pieces from 0 of long texts, and holds the agent to their model; where the server has no pgvector, nothing.';

-- Recall --------------------------------------------------------------------------------------

create or replace function agent_memory.check_embedding(organization_id uuid, query_embedding real[], model text)
returns boolean
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  stored integer;
  -- Of a model that is no agent's current one: former, where one agent had it before, or next.
  beside text;
begin
  if query_embedding is null or not agent_memory.has_vector() then
    return false;
  elsif model is null then
    raise exception using errcode = 'PM005', message = 'query_embedding needs embedding_model',
      hint = 'Name the model as remember_memories was told it.';
  elsif array_ndims(query_embedding) is distinct from 1 or array_position(query_embedding, null) is not null or 'NaN' = any (query_embedding)
        or not exists (select from unnest(query_embedding) as e having max(abs(e)) between 1e-6 and 65504) then
    raise exception using errcode = 'PM003',
      message = 'query_embedding must hold numbers from -65504 to 65504, not all of them zero or nearly so';
  end if;
  stored := agent_memory.settled_dimension(organization_id, model);
  select min(m.state) into beside from agent_memory.models as m
    where m.organization_id = check_embedding.organization_id and m.model = check_embedding.model and m.state <> 'dropped';
  if stored <> cardinality(query_embedding) then
    raise exception using errcode = 'PM005',
      message = format('query_embedding has %s dimensions; the vectors of %s stored here have %s', cardinality(query_embedding), model, stored),
      hint = 'Use the embedder that the stored vectors came from.';
  elsif stored is null and beside is null and model <> all (agent_memory.stored_models(organization_id)) then
    raise exception using errcode = 'PM005',
      message = format('nothing here has a vector of %s; the stored ones are of %s', model,
                       array_to_string(agent_memory.stored_models(organization_id), ', ')),
      hint = 'Use the embedder that the stored vectors came from.';
  end if;
  -- While a model is being filled in, its vectors would put the memories that have one first.
  return stored is not null
    and (beside is distinct from 'next' or coalesce(model = any (agent_memory.stored_models(organization_id)), false));
end
$$;
comment on function agent_memory.check_embedding(uuid, real[], text) is
  'Whether the question''s vector can be compared with what is stored: not while its model is still being filled in. PM005 if it is of another model or dimension.';

create or replace function agent_memory.require_vectors()
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if not agent_memory.has_vector() then
    raise exception using errcode = 'PM007', message = 'this server has no pgvector, so it stores no vectors',
      hint = 'Install pgvector 0.7 or later, then run pgrecall migrate.';
  end if;
end
$$;
comment on function agent_memory.require_vectors() is 'Raises PM007 where the server has no pgvector.';
