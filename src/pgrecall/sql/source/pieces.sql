-- Long texts ---------------------------------------------------------------------------------
--
-- A row of ai_memories is found by the first 30,000 characters of its content: a text index holds no
-- more than 1 MB, of which 30,000 letters of Han take a third. What stands behind them is indexed
-- here, in pieces, and the words of all pieces count as words of the memory. Vectors of the pieces of
-- a long text are rows of agent_memory.embeddings beside its first.

do $tables$
begin
  if pg_catalog.to_regclass('agent_memory.pieces') is null then
    create table agent_memory.pieces (
      organization_id uuid not null,
      memory_id uuid not null,
      ordinal integer not null check (ordinal >= 1),
      search_vector tsvector not null,
      primary key (organization_id, memory_id, ordinal),
      constraint pieces_memory_fk foreign key (organization_id, memory_id)
        references public.ai_memories (organization_id, id) on delete cascade
    );
    alter table agent_memory.pieces enable row level security;
  end if;
end
$tables$;
comment on table agent_memory.pieces is 'What memories of more than 30,000 characters are found by beyond those: their further text in pieces of 30,000 characters.';
comment on column agent_memory.pieces.ordinal is 'Its place from 1; the first 30,000 characters are in ai_memories.search_vector.';
comment on column agent_memory.pieces.search_vector is 'The lexemes of the piece, without positions.';

do $text_index$
declare
  wanted record;
  has_btree_gin constant boolean := exists (select from pg_catalog.pg_extension where extname = 'btree_gin');
begin
  for wanted in
    select * from (values
      ('pieces_organization_search_idx', true, 'organization_id, search_vector'),
      ('pieces_search_idx', false, 'search_vector')) as indexes (name, by_organization, keys)
  loop
    if wanted.by_organization <> has_btree_gin then
      if pg_catalog.to_regclass('agent_memory.' || wanted.name) is not null then
        execute pg_catalog.format('drop index agent_memory.%I', wanted.name);
      end if;
    elsif pg_catalog.to_regclass('agent_memory.' || wanted.name) is null then
      execute pg_catalog.format('create index %I on agent_memory.pieces using gin (%s) with (gin_pending_list_limit = 256)',
        wanted.name, wanted.keys);
    end if;
  end loop;
end
$text_index$;

create or replace function agent_memory.index_pieces(organization_id uuid, ids uuid[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  memory record;
  lexemes tsvector;
begin
  delete from agent_memory.pieces as p
    where p.organization_id = index_pieces.organization_id and p.memory_id = any (ids);
  for memory in
    -- As a value of this loop a text is fetched once, and not for each piece.
    select m.id, m.language, m.content || '' as content from public.ai_memories as m
    where m.organization_id = index_pieces.organization_id and m.id = any (ids) and m.is_long
    order by m.id
  loop
    for place in 1 .. ceil((char_length(memory.content) - 30000) / 29800.0)::integer loop
      -- They overlap by 200 characters, so that no word is cut in two.
      lexemes := strip(agent_memory.lexemes(memory.language, substr(memory.content, 29800 * place + 1, 30000)));
      if lexemes <> '' then
        insert into agent_memory.pieces as p (organization_id, memory_id, ordinal, search_vector)
        values (index_pieces.organization_id, memory.id, place, lexemes);
      end if;
    end loop;
  end loop;
end
$$;
comment on function agent_memory.index_pieces(uuid, uuid[]) is
  'Indexes anew what some memories are found by beyond their first 30,000 characters.';

create or replace function agent_memory.item_vectors(item jsonb)
returns agent_memory.vector_value[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select agent_memory.read_vectors(item ->> 'embedding' || array(
    select e.vector #>> '{}'
    from jsonb_array_elements(coalesce(nullif(item -> 'piece_embeddings', 'null'), '[]')) with ordinality as e (vector, ordinal)
    order by e.ordinal))
$$;
comment on function agent_memory.item_vectors(jsonb) is
  'The vectors of an item''s text, in the order of its pieces; null if one of them can''t be stored.';

create or replace function agent_memory.piece_refusal(item jsonb)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return case
    when coalesce(nullif(item -> 'piece_embeddings', 'null'), '[]') = '[]' then null
    when jsonb_typeof(item -> 'piece_embeddings') <> 'array' or jsonb_array_length(item -> 'piece_embeddings') > 2000
      then 'piece_embeddings must be an array of at most 2,000 embeddings'
    when (item ->> 'embedding') is null then 'piece_embeddings need embedding, that of the first piece'
    when jsonb_path_exists(item, '$.piece_embeddings[*] ? (@ == null)') or agent_memory.item_vectors(item) is null
      then 'piece_embeddings must hold arrays of numbers from -65504 to 65504, not all of them zero or nearly so'
  end;
end
$$;
comment on function agent_memory.piece_refusal(jsonb) is 'Why the vectors of the pieces of an item''s text can''t be stored; null if nothing is wrong.';

create or replace function agent_memory.index_added(
  organization_id uuid, memories jsonb, drafts agent_memory.draft[], vectors agent_memory.vector_value[], added uuid[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  long_ones constant uuid[] := array(
    select d.id from unnest(drafts) as d where octet_length(d.content) > 30000 and d.id = any (added));
  batch record;
begin
  if long_ones <> '{}' then
    perform agent_memory.index_pieces(organization_id, long_ones);
  end if;
  for batch in
    select d.agent_id, d.embedding_model, array_agg(d.id) as ids,
           array_agg(row(p.vector)::agent_memory.vector_value) as vectors, array_agg(p.place::integer - 1) as pieces
    from unnest(drafts) as d
    join unnest(vectors) with ordinality as v (vector, ordinal) on v.ordinal = d.ordinal
    cross join lateral unnest(case when d.id = any (long_ones) then agent_memory.item_vectors(memories -> d.ordinal - 1)
      else array[row(v.vector)::agent_memory.vector_value] end) with ordinality as p (vector, place)
    where v.vector is not null and d.id = any (added)
    group by 1, 2 order by 1, 2
  loop
    perform agent_memory.add_vectors(organization_id, batch.agent_id, batch.embedding_model, batch.ids, batch.vectors, batch.pieces);
  end loop;
end
$$;
comment on function agent_memory.index_added(uuid, jsonb, agent_memory.draft[], agent_memory.vector_value[], uuid[]) is
  'Indexes those drafts that were added beyond their rows: the further pieces of long texts, and the vectors.';

create or replace function agent_memory.whole_vector(organization_id uuid, memory_id uuid, search_vector tsvector, query tsquery)
returns tsvector
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  asked constant text[] := array(
    select l[1] from regexp_matches(query::text, '(''(?:[^'']|'''')+''(?::\*)?)', 'g') as l);
begin
  return whole_vector.search_vector || coalesce((
    select string_agg(distinct rtrim(l.lexeme, ':*') || ':1A', ' ')::tsvector
    -- Fetched once, and not for each lexeme.
    from (select strip(p.search_vector) as lexemes from agent_memory.pieces as p
          where p.organization_id = whole_vector.organization_id and p.memory_id = whole_vector.memory_id offset 0) as p
    join unnest(asked) as l (lexeme) on p.lexemes @@ l.lexeme::tsquery), '');
end
$$;
comment on function agent_memory.whole_vector(uuid, uuid, tsvector, tsquery) is
  'What a memory of more than 30,000 characters is found by for a query: its search_vector, and those of the query''s lexemes that its further pieces have.';
