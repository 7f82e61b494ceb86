-- pgrecall: vectors, where the server has pgvector.
-- rerun-when: vector
--
-- Without pgvector the same functions exist and know of no vector, so that nothing else has to
-- ask. Run this file again once pgvector is installed.
--
-- An organization's first vectors (agent_memory.exact_limit() of them) are not indexed: they are
-- compared exactly, which is faster than an index up to there, and their writes cost an eighth.
-- All later ones are in an HNSW index. A search asks both halves, so nothing moves as an
-- organization grows and no vector is ever in neither.

-- Names below resolve to what they say, whatever the session's path was.
set search_path = pg_catalog, pg_temp;

create or replace function agent_memory.exact_limit()
returns integer
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  told constant text := current_setting('pgrecall.exact_limit', true);
begin
  return case when told ~ '^[1-9][0-9]{0,8}$' then told::integer else 5000 end;
end
$$;
comment on function agent_memory.exact_limit() is
  'How many memories in scope are compared one by one; above, indexes choose candidates. 5,000, as measured (docs/benchmarks.md), unless the setting pgrecall.exact_limit names another number: ALTER DATABASE ... SET pgrecall.exact_limit = 8000.';

do $types$
begin
  if pg_catalog.to_regtype('agent_memory.vector_value') is null then
    create type agent_memory.vector_value as (vector real[]);
  end if;
end
$types$;
comment on type agent_memory.vector_value is 'A vector among others of any dimension, which an array of arrays can''t hold.';

-- Without pgvector --------------------------------------------------------------------------

create or replace function agent_memory.has_vector()
returns boolean
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select from pg_catalog.pg_attribute as a
    where a.attrelid = pg_catalog.to_regclass('public.ai_memory_embeddings')
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

do $without_vector$
begin
  if agent_memory.vector_schema() is not null then
    return;
  end if;
  if exists (select from pg_catalog.pg_extension where extname = 'vector') then
    raise notice 'pgrecall: pgvector is older than 0.7; going on without it. ALTER EXTENSION vector UPDATE; then run the migrations again.';
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
  create or replace function agent_memory.store_embeddings(organization_id uuid, model text, ids uuid[], vectors agent_memory.vector_value[])
    returns integer[]
    language plpgsql set search_path = pg_catalog, pg_temp as 'begin return null; end';
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

  -- DROP EXTENSION vector CASCADE took the column with the vectors, and left a table of no use.
  if not agent_memory.has_vector() then
    drop table if exists public.ai_memory_embeddings;
  end if;
  execute pg_catalog.format($ddl$
    create table if not exists public.ai_memory_embeddings (
      organization_id uuid not null,
      memory_id uuid not null,
      model text not null check (char_length(model) between 1 and 255),
      embedding %1$I.halfvec not null check (%1$I.l2_norm(embedding) > 0),
      is_indexed boolean not null default false,
      created_at timestamptz not null default agent_memory.now(),
      primary key (organization_id, memory_id, model),
      constraint ai_memory_embeddings_memory_fk foreign key (organization_id, memory_id)
        references public.ai_memories (organization_id, id) on delete cascade
    ) $ddl$, home);
  -- Vectors of up to some 4,000 dimensions stand in the row: among those of 1,024 a recall takes a fifth less.
  alter table public.ai_memory_embeddings set (toast_tuple_target = 8160);
  comment on table public.ai_memory_embeddings is 'The vectors of memories, one a model.';
  comment on column public.ai_memory_embeddings.is_indexed is 'Whether the HNSW index holds it; false for the first vectors of an organization, which are compared exactly.';
  create index if not exists ai_memory_embeddings_exact_idx
    on public.ai_memory_embeddings (organization_id, model) where not is_indexed;
  create index if not exists ai_memory_embeddings_indexed_idx
    on public.ai_memory_embeddings (organization_id, model) where is_indexed;
  -- Dimensions that models have; vectors of any other are compared exactly.
  foreach dimension in array array[256, 384, 512, 768, 1024, 1536, 2048, 3072] loop
    execute pg_catalog.format($ddl$
      create index if not exists ai_memory_embeddings_hnsw_%2$s_idx on public.ai_memory_embeddings
        using hnsw ((embedding::%1$I.halfvec(%2$s)) %1$I.halfvec_cosine_ops)
        where is_indexed and %1$I.vector_dims(embedding) = %2$s $ddl$, home, dimension);
  end loop;
  perform agent_memory.policy('public.ai_memory_embeddings', 'nobody', 'nobody');

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
      return query
      select e.memory_id, (1 - (e.embedding operator(%1$I.<=>) wanted))::real
      from public.ai_memory_embeddings as e
      where e.organization_id = similarities.organization_id and e.model = similarities.model
        and e.memory_id = any (ids);
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
    begin
      perform set_config('hnsw.ef_search', coalesce(
        substring(current_setting('pgrecall.ef_search', true) from '^([1-9][0-9]{0,2}|1000)$'), '200'), true);
      if (select string_to_array(extversion, '.')::integer[] >= array[0, 8]
          from pg_catalog.pg_extension where extname = 'vector') then
        perform set_config('hnsw.iterative_scan', 'relaxed_order', true);
      end if;
      return query execute format(
        'with exact as (
           select e.memory_id, (e.embedding operator(%1$I.<=>) $3) + 0 as distance
           from public.ai_memory_embeddings as e
           where e.organization_id = $1 and e.model = $2 and not e.is_indexed
           order by distance limit $4),
         indexed as (
           select e.memory_id, e.embedding::%1$I.halfvec(%%1$s) operator(%1$I.<=>) $3::%1$I.halfvec(%%1$s) as distance
           from public.ai_memory_embeddings as e
           where e.organization_id = $1 and e.model = $2 and e.is_indexed
             and %1$I.vector_dims(e.embedding) = %%1$s
           order by distance limit $4)
         select memory_id, (1 - distance)::real
         from (select * from exact union all select * from indexed) as both_halves
         order by distance limit $4', cardinality(query))
      using nearest.organization_id, nearest.model, wanted, match_limit;
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
        select %1$I.vector_dims(e.embedding) from public.ai_memory_embeddings as e
        where e.organization_id = stored_dimension.organization_id and e.model = stored_dimension.model
        limit 1);
    end
    $body$ $ddl$, home);

  execute pg_catalog.format($ddl$
    create or replace function agent_memory.store_embeddings(organization_id uuid, model text, ids uuid[], vectors agent_memory.vector_value[])
    returns integer[]
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
      dimensions integer[];
    begin
      with stored as (
        insert into public.ai_memory_embeddings as e (organization_id, memory_id, model, embedding, is_indexed, created_at)
        select store_embeddings.organization_id, given.id, store_embeddings.model, given.vector::%1$I.halfvec, is_large, clock.now
        from unnest(ids, vectors) as given (id, vector)
        cross join (select agent_memory.now() as now offset 0) as clock
        on conflict (organization_id, memory_id, model)
          do update set embedding = excluded.embedding, created_at = excluded.created_at
        returning %1$I.vector_dims(e.embedding) as dimension)
      select array_agg(distinct s.dimension) into dimensions from stored as s;
      return dimensions;
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
        select from public.ai_memory_embeddings as e
        where e.organization_id = is_large.organization_id and e.model = is_large.model and e.is_indexed) then
      return true;
    end if;
    return counting and agent_memory.exact_limit() <= (
      select count(*) from (
        select from public.ai_memory_embeddings as e
        where e.organization_id = is_large.organization_id and e.model = is_large.model and not e.is_indexed
        limit agent_memory.exact_limit()) as counted);
  end
  $body$;
  comment on function agent_memory.is_large(uuid, text, boolean) is
    'Whether an organization has so many vectors of a model that further ones belong in the HNSW index: whether some are there already, or, when counting, there are enough.';
  perform agent_memory.expose('agent_memory.is_large(uuid, text, boolean)', variadic '{}');

  create or replace function agent_memory.drop_embeddings(organization_id uuid, memory_id uuid)
  returns void
  language sql
  set search_path = pg_catalog, pg_temp
  as $body$
    delete from public.ai_memory_embeddings as e
    where e.organization_id = drop_embeddings.organization_id and e.memory_id = drop_embeddings.memory_id
  $body$;
end
$with_vector$;

comment on function agent_memory.similarities(uuid, text, real[], uuid[]) is
  'Cosine similarity, -1 to 1, of the named memories to a query, compared one by one.';
comment on function agent_memory.nearest(uuid, text, real[], integer) is
  'The memories of an organization that are nearest to a query: exact over its first vectors, by HNSW over all later ones, of which it keeps 200 in sight, unless the setting pgrecall.ef_search names another number from 1 to 1000: ALTER DATABASE ... SET pgrecall.ef_search = 400.';
comment on function agent_memory.stored_dimension(uuid, text) is
  'The dimension of the vectors that an organization has of a model; null if it has none.';
comment on function agent_memory.stored_models(uuid) is
  'The models that the agents of an organization store vectors of; null if none.';
comment on function agent_memory.store_embeddings(uuid, text, uuid[], agent_memory.vector_value[]) is
  'Stores one vector a memory; replaces an earlier one of the model. Returns the dimensions that there were, or null where the server has no pgvector.';
comment on function agent_memory.read_vectors(text[]) is
  'Texts such as [0.1,0.2] as vectors, in order, null for null; null altogether if one of them can''t be stored.';
comment on function agent_memory.is_storable(text) is
  'Whether a text such as [0.1,0.2] is a vector that can be stored: numbers that 16 bits hold, not all of them zero there; null is.';
comment on function agent_memory.drop_embeddings(uuid, uuid) is
  'Drops the vectors of a memory, whose content they no longer describe.';

select agent_memory.expose(function::regprocedure, variadic callers)
from (values
  ('agent_memory.exact_limit()', '{}'::text[]),
  ('agent_memory.vector_schema()', '{}'),
  ('agent_memory.has_vector()', '{authenticated,service_role}'),
  ('agent_memory.similarities(uuid, text, real[], uuid[])', '{}'),
  ('agent_memory.nearest(uuid, text, real[], integer)', '{}'),
  ('agent_memory.stored_dimension(uuid, text)', '{}'),
  ('agent_memory.stored_models(uuid)', '{}'),
  ('agent_memory.store_embeddings(uuid, text, uuid[], agent_memory.vector_value[])', '{}'),
  ('agent_memory.is_storable(text)', '{}'),
  ('agent_memory.read_vectors(text[])', '{}'),
  ('agent_memory.drop_embeddings(uuid, uuid)', '{}')
) as grants (function, callers);

-- What comes next on this connection, which a pooler may give to somebody else, has its own path.
reset search_path;
