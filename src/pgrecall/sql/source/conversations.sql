-- Conversations ------------------------------------------------------------------------------

do $tables$
begin
  if pg_catalog.to_regclass('public.ai_memory_contexts') is null then
    create table public.ai_memory_contexts (
      organization_id uuid not null references agent_memory.organizations on delete cascade,
      id uuid not null default agent_memory.uuid_v7(),
      agent_id text not null check (char_length(agent_id) between 1 and 255),
      user_id text check (char_length(user_id) between 1 and 255),
      context_key text not null check (char_length(context_key) between 1 and 500),
      visibility text not null default 'agent' check (visibility in ('private', 'agent', 'organization')),
      summary text check (char_length(summary) <= 100000),
      metadata jsonb not null default '{}' check (agent_memory.is_safe_json(metadata)),
      created_at timestamptz not null default agent_memory.now(),
      updated_at timestamptz not null default agent_memory.now(),
      primary key (organization_id, id)
    );
    create unique index ai_memory_contexts_key_idx
      on public.ai_memory_contexts (organization_id, context_key, agent_id, (coalesce(user_id, '')));
    alter table public.ai_memory_contexts enable row level security;
  end if;
end
$tables$;

create or replace function agent_memory.slot_key(organization_id uuid, agent_id text, user_id text, slot text)
returns inet
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  digest constant text := encode(sha256(convert_to(
    organization_id::text || char_length(agent_id) || ':' || agent_id || char_length(slot) || ':' || slot || coalesce(user_id, ''), 'UTF8')), 'hex');
begin
  return (substr(digest, 1, 4) || ':' || substr(digest, 5, 4) || ':' || substr(digest, 9, 4) || ':' || substr(digest, 13, 4) || ':'
    || substr(digest, 17, 4) || ':' || substr(digest, 21, 4) || ':' || substr(digest, 25, 4) || ':' || substr(digest, 29, 4))::inet;
end
$$;
comment on function agent_memory.slot_key(uuid, text, text, text) is
  'Which slot it is, in 128 bits: the first half of the SHA-256 of its organization, agent, name and user. As an address of IPv6, the one type of this width that a GiST index compares without an extension. An index holds what it answers: it never changes.';

do $tables$
begin
  if pg_catalog.to_regclass('public.ai_memories') is null then
    create table public.ai_memories (
      organization_id uuid not null references agent_memory.organizations on delete cascade,
      id uuid not null default agent_memory.uuid_v7(),
      agent_id text not null check (char_length(agent_id) between 1 and 255),
      user_id text check (char_length(user_id) between 1 and 255),
      context_id uuid,
      kind text not null default 'fact'
        check (kind in ('message', 'fact', 'preference', 'event', 'procedure', 'summary', 'note')),
      content text not null check (char_length(content) <= 1000000 and content ~ '\S'),
      speaker text check (char_length(speaker) between 1 and 255),
      language text not null default 'english' check (char_length(language) between 1 and 63),
      slot text check (char_length(slot) between 1 and 500),
      importance real not null default 0.5 check (importance between 0 and 1),
      confidence real not null default 1 check (confidence between 0 and 1),
      trust text not null default 'user'
        check (trust in ('user', 'assistant', 'tool', 'document', 'inference')),
      visibility text not null default 'agent'
        check (visibility in ('private', 'agent', 'organization')),
      metadata jsonb not null default '{}' check (agent_memory.is_safe_json(metadata)),
      occurred_at timestamptz not null default agent_memory.now(),
      valid_from timestamptz not null default agent_memory.now(),
      valid_to timestamptz,
      superseded_by uuid,
      stated_valid_to timestamptz,
      expires_at timestamptz,
      forgotten_at timestamptz,
      created_at timestamptz not null default agent_memory.now(),
      updated_at timestamptz not null default agent_memory.now(),
      idempotency_key text check (char_length(idempotency_key) between 1 and 255),
      idempotency_digest bytea,
      dedup_key bytea,
      position bigint not null default extract(epoch from clock_timestamp()) * 1000000,
      window_lexemes tsvector,
      search_vector tsvector not null generated always as (
        -- As agent_memory.lexemes(), which only those can call who may look into its schema.
        setweight(to_tsvector(agent_memory.text_config(language), case when octet_length(content) = char_length(content)
          then "left"(content, 30000) else agent_memory.paired(content) end), 'A')
        || setweight(to_tsvector(agent_memory.text_config(language), agent_memory.paired(coalesce(speaker, ''))), 'B')
        || coalesce(window_lexemes, ''::tsvector)) stored,
      -- What recall asks of a text, kept so that it need not read long ones.
      is_long boolean not null generated always as (char_length(content) > 30000) stored,
      is_opening boolean not null generated always as (coalesce(length(window_lexemes), 0) = 0) stored,
      is_question boolean not null generated always as (right(content, 1) in ('?', '？', '؟')) stored,
      has_question boolean not null generated always as (content ~ '[?？؟]') stored,
      has_digits boolean not null generated always as (content ~ '[0-9]') stored,
      names_time boolean not null generated always as (content ~* ('\m(?:yesterday|today|tonight|tomorrow|last|next|ago|since|recently|earlier'
        '|weekends?|weeks?|months?|years?|(?:mon|tues|wednes|thurs|fri|satur|sun)days?'
        '|january|february|march|april|june|july|august|september|october|november|december)\M')) stored,
      primary key (organization_id, id),
      constraint ai_memories_context_fk foreign key (organization_id, context_id)
        references public.ai_memory_contexts (organization_id, id) on delete cascade,
      constraint ai_memories_superseded_by_fk foreign key (organization_id, superseded_by)
        references public.ai_memories (organization_id, id) deferrable,
      constraint ai_memories_key_has_digest check ((idempotency_key is null) = (idempotency_digest is null)),
      -- Whoever writes: at any instant a slot has one value.
      constraint ai_memories_one_slot_value exclude using gist (
        agent_memory.slot_key(organization_id, agent_id, user_id, slot) inet_ops with =, tstzrange(valid_from, valid_to) with &&)
        where (slot is not null and forgotten_at is null),
      constraint ai_memories_private_has_user check (visibility <> 'private' or user_id is not null),
      constraint ai_memories_valid_range check (valid_to >= valid_from),
      constraint ai_memories_stated_range check (stated_valid_to is null or superseded_by is not null and stated_valid_to >= valid_to),
      -- Infinities and years beyond four digits can be stored, but many clients can't read them. In the form
      -- that comes back the same from a dump: BETWEEN would come back with other parentheses.
      constraint ai_memories_readable_times check (
        occurred_at >= '0001-01-02Z' and occurred_at <= '9999-12-30Z' and valid_from >= '0001-01-02Z' and valid_from <= '9999-12-30Z'
        and valid_to >= '0001-01-02Z' and valid_to <= '9999-12-30Z' and stated_valid_to <= '9999-12-30Z' and expires_at >= '0001-01-02Z' and expires_at <= '9999-12-30Z')
    );
    -- Recall reads the text index of every memory it scores, several times: it stands in the row, not out of
    -- line, unless that is longer than a page. That halved the time of a recall among long messages.
    alter table public.ai_memories set (toast_tuple_target = 8160);
    alter table public.ai_memories alter column search_vector set storage main;
    create unique index ai_memories_dedup_idx on public.ai_memories (organization_id, dedup_key)
      where dedup_key is not null and superseded_by is null and forgotten_at is null;
    create unique index ai_memories_idempotency_idx on public.ai_memories (organization_id, idempotency_digest)
      where idempotency_digest is not null;
    create index ai_memories_context_idx on public.ai_memories (organization_id, context_id, occurred_at, position);
    create index ai_memories_user_idx on public.ai_memories (organization_id, user_id, occurred_at);
    create index ai_memories_agent_idx on public.ai_memories (organization_id, agent_id, occurred_at);
    create index ai_memories_time_idx on public.ai_memories (organization_id, occurred_at);
    -- For the few that are no messages, or that an agent shares with all.
    create index ai_memories_kind_idx on public.ai_memories (organization_id, kind) where kind <> 'message';
    create index ai_memories_shared_idx on public.ai_memories (organization_id, agent_id) where visibility = 'organization';
    create index ai_memories_slot_values_idx on public.ai_memories (
      organization_id, slot, agent_id, (coalesce(user_id, '')), valid_from, created_at, id) where slot is not null;
    create index ai_memories_superseded_by_idx on public.ai_memories (organization_id, superseded_by)
      where superseded_by is not null;
    -- How frequent the words of a question are in a large organization, recall asks every 64th memory.
    create index ai_memories_sample_idx on public.ai_memories using gin (search_vector)
      with (gin_pending_list_limit = 256) where uuid_hash(id) & 63 = 0;
    alter table public.ai_memories enable row level security;
  end if;
end
$tables$;
comment on table public.ai_memory_contexts is 'One conversation or task each, addressed by the caller''s own context_key, such as a thread id.';
comment on table public.ai_memories is 'The memories: messages as they were said, and what is derived from them. Read under Row Level Security, written by functions.';
comment on column public.ai_memories.agent_id is 'The program that remembers.';
comment on column public.ai_memories.user_id is 'The end user whom the memory is about.';
comment on column public.ai_memories.speaker is 'Who said a message, by name; indexed with weight B, so that a question that names them finds it.';
comment on column public.ai_memories.language is 'The language of the content, by whose stemmer it is indexed; simple for none.';
comment on column public.ai_memories.slot is 'Subject and attribute of a keyed memory, such as user:maria/diet. A new value supersedes the old one.';
comment on column public.ai_memories.importance is '0 to 1; 0.5 where nothing is known.';
comment on column public.ai_memories.confidence is '0 to 1: how sure its source was.';
comment on column public.ai_memories.trust is 'Where it came from; never raised by derivation.';
comment on column public.ai_memories.visibility is 'private: its user and the agent that holds it. agent: people, and of the programs that agent alone. organization: all members.';
comment on column public.ai_memories.occurred_at is 'When it happened or was said.';
comment on column public.ai_memories.valid_from is 'Since when it has been true in the world.';
comment on column public.ai_memories.valid_to is 'Until when it was true (exclusive); null while it still is.';
comment on column public.ai_memories.superseded_by is 'The memory of the same slot that ended this one''s validity, at its own valid_from; null where valid_to is its own end.';
comment on column public.ai_memories.stated_valid_to is 'Its own end, where superseded_by ended it sooner: taken up again when that one moves. Null if none was stated.';
comment on column public.ai_memories.expires_at is 'When it stops being recalled by itself.';
comment on column public.ai_memories.forgotten_at is 'Since when it is not recalled; restore_memories() clears it.';
comment on column public.ai_memories.idempotency_key is 'The caller''s key of the write; the same key again writes nothing.';
comment on column public.ai_memories.idempotency_digest is 'Digest of the key with the agent, the user and who gave it, to whom alone it means anything.';
comment on column public.ai_memories.dedup_key is 'Digest of agent, user, context, visibility and normalised text; null for messages of a conversation, for what gave it up since it can''t be recalled any more, and for rows that a service inserted directly.';
comment on column public.ai_memories.position is 'The order of messages of one instant, in which they were given: microseconds of when they were written.';
comment on column public.ai_memories.window_lexemes is 'Lexemes, weight C, of the up to three messages before it in its context.';
comment on column public.ai_memories.search_vector is 'Own words with weight A, the speaker''s name B, the window''s words C.';
comment on column public.ai_memories.is_long is 'Whether it has more than 30,000 characters, so that further ones are in agent_memory.pieces.';
comment on column public.ai_memories.is_opening is 'Whether no message stands before it in its context, or it is none.';
comment on column public.ai_memories.is_question is 'Whether it ends in a question mark.';
comment on column public.ai_memories.has_question is 'Whether it has a question mark anywhere.';
comment on column public.ai_memories.has_digits is 'Whether it has any of the digits 0 to 9.';
comment on column public.ai_memories.names_time is 'Whether it names a time, in English: "yesterday", "next week", "in June".';

-- With btree_gin the organization is part of these two indexes; without, it is a filter. What writes
-- have left for later is read through for every term of a question: 4 MB, the default, took 7 ms each.
do $text_index$
declare
  wanted record;
  has_btree_gin constant boolean := exists (select from pg_catalog.pg_extension where extname = 'btree_gin');
begin
  for wanted in
    select * from (values
      ('ai_memories_organization_search_idx', true, 'organization_id, search_vector', ''),
      ('ai_memories_organization_metadata_idx', true, 'organization_id, metadata jsonb_path_ops', ' where metadata <> ''{}'''),
      ('ai_memories_search_idx', false, 'search_vector', ''),
      ('ai_memories_metadata_idx', false, 'metadata jsonb_path_ops', ' where metadata <> ''{}''')) as indexes (name, by_organization, keys, filter)
  loop
    if wanted.by_organization <> has_btree_gin then
      if pg_catalog.to_regclass('public.' || wanted.name) is not null then
        execute pg_catalog.format('drop index public.%I', wanted.name);
      end if;
    elsif pg_catalog.to_regclass('public.' || wanted.name) is null then
      execute pg_catalog.format('create index %I on public.ai_memories using gin (%s) with (gin_pending_list_limit = 256)%s',
        wanted.name, wanted.keys, wanted.filter);
    end if;
  end loop;
end
$text_index$;

select agent_memory.policy('public.ai_memory_contexts', 'readers', 'writers');
select agent_memory.policy('public.ai_memories', 'readers', 'writers');

-- Conversations, models -----------------------------------------------------------------------

create or replace function agent_memory.named_contexts(organization_id uuid, drafts agent_memory.draft[])
returns table (agent_id text, user_id text, context_key text, visibility text, ordinals integer[], id uuid)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  -- The order that is asked for leaves the planner one index, also where the table was empty when it planned:
  -- each of thousands of conversations is looked up by its key, not sought among all.
  return query
    select told.agent_id, told.user_id, told.context_key, told.visibility, told.ordinals,
           case when (near.context_key, near.agent_id, coalesce(near.user_id, ''))
                     = (told.context_key, told.agent_id, coalesce(told.user_id, '')) then near.id end
    from (
      select d.agent_id, d.user_id, d.context_key, array_agg(d.ordinal order by d.ordinal) as ordinals,
             (array_agg(d.visibility order by agent_memory.openness(d.visibility)))[1] as visibility
      from unnest(drafts) as d
      where d.context_key is not null and d.code is null
      group by d.agent_id, d.user_id, d.context_key) as told
    left join lateral (
      select c.id, c.agent_id, c.user_id, c.context_key
      from public.ai_memory_contexts as c
      where c.organization_id = named_contexts.organization_id
        and (c.context_key, c.agent_id, coalesce(c.user_id, '')) >= (told.context_key, told.agent_id, coalesce(told.user_id, ''))
      order by c.context_key, c.agent_id, coalesce(c.user_id, '') limit 1) as near on true;
end
$$;
comment on function agent_memory.named_contexts(uuid, agent_memory.draft[]) is
  'The conversations that drafts name, with the ordinals of these and the least visibility among them; id is null for one that is not there.';

create or replace function agent_memory.settle_contexts(organization_id uuid, drafts agent_memory.draft[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  ids uuid[];
begin
  if not exists (select from unnest(drafts) as d where d.context_key is not null and d.code is null) then
    return;
  end if;
  for attempt in 1 .. 20 loop
    ids := array(select c.id from agent_memory.named_contexts(settle_contexts.organization_id, drafts) as c);
    if array_position(ids, null) is not null then
      insert into public.ai_memory_contexts as c (organization_id, agent_id, user_id, context_key, visibility)
      select settle_contexts.organization_id, n.agent_id, n.user_id, n.context_key, n.visibility
      from agent_memory.named_contexts(settle_contexts.organization_id, drafts) as n
      where n.id is null
      order by n.agent_id, n.context_key, n.user_id
      on conflict do nothing;
      continue;
    end if;
    -- Held until the end, so that one writer at a time says something in a conversation, and an erasure
    -- of one waits for what is being said in it; one that was erased meanwhile does not come back here,
    -- and is created anew.
    if cardinality(ids) = (
      select count(*) from (
        select from unnest(ids) as named (id)
        join public.ai_memory_contexts as c on c.organization_id = settle_contexts.organization_id and c.id = named.id
        order by c.id for no key update of c) as held) then
      return;
    end if;
  end loop;
  raise serialization_failure using message = 'a conversation goes as often as it is made', hint = 'Do it again.';
end
$$;
comment on function agent_memory.settle_contexts(uuid, agent_memory.draft[]) is
  'Finds the conversations that drafts name, locked against other writers and erasure, or creates them; visible as the least visible of their first memories.';

create or replace function agent_memory.place_drafts(organization_id uuid, drafts agent_memory.draft[])
returns agent_memory.draft[]
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  now constant timestamptz := agent_memory.now();
  -- How far another writer, let in before this one, or the call before in this transaction can have come.
  latest constant timestamptz := now + (clock_timestamp() - pg_catalog.now()) + interval '1 second';
  position constant bigint := extract(epoch from clock_timestamp()) * 1000000;
  -- Where the draft of an ordinal stands.
  places constant integer[] := array(
    select d.ordinality::integer
    from generate_series(1, (select max(d.ordinal) from unnest(drafts) as d)) as o (ordinal)
    left join unnest(drafts) with ordinality as d on d.ordinal = o.ordinal
    order by o.ordinal);
  -- Of the type draft, which pgspot's reader does not know the fields of.
  draft record;
  talk record;
  said_at timestamptz;
begin
  for talk in
    select c.id, c.ordinals, last.occurred_at as said_at
    from agent_memory.named_contexts(place_drafts.organization_id, drafts) as c
    left join lateral (
      select m.occurred_at from public.ai_memories as m
      where m.organization_id = place_drafts.organization_id and m.context_id = c.id and m.occurred_at <= latest
      order by m.occurred_at desc, m.position desc limit 1) as last on true
    where c.id is not null
  loop
    said_at := coalesce(greatest(now, talk.said_at + interval '1 microsecond'), now);
    for n in 1 .. cardinality(talk.ordinals) loop
      draft := drafts[places[talk.ordinals[n]]];
      draft.context_id := talk.id;
      draft.position := coalesce(draft.position, position + draft.ordinal);
      if draft.kind = 'message' and not draft.is_timed then
        draft.occurred_at := said_at;
        said_at := said_at + interval '1 microsecond';
      end if;
      drafts[places[draft.ordinal]] := draft;
    end loop;
  end loop;
  return drafts;
end
$$;
comment on function agent_memory.place_drafts(uuid, agent_memory.draft[]) is
  'The drafts with their conversations, as far as these are there, and messages in their order: those that tell no time are said now, one after the other.';

-- Windows -------------------------------------------------------------------------------------

create or replace function agent_memory.window_part(lexemes tsvector)
returns tsvector
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Three of these and a memory's own words are together less than the 1 MB that a tsvector may have.
  return case when pg_column_size(lexemes) > 200000 then '' else lexemes end;
end
$$;
comment on function agent_memory.window_part(tsvector) is
  'What the lexemes of a message add to the windows of those after it: nothing where they are so many that they would say nothing.';

create or replace function agent_memory.windows(organization_id uuid, drafts agent_memory.draft[])
returns table (ordinal integer, window_lexemes tsvector)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
  with told as materialized (
    select d.ordinal, d.position, d.occurred_at, d.context_id, agent_memory.openness(d.visibility) as openness,
           agent_memory.window_part(agent_memory.lexemes(d.language, d.content)) as lexemes
    from unnest(drafts) as d
    where d.context_id is not null and d.kind = 'message' and d.code is null and d.forgotten_at is null
  ), stored as (
    select c.context_id, p.occurred_at, 0 as ordinal, p.position, p.openness, p.lexemes
    from (select distinct t.context_id from told as t) as c
    cross join lateral (
      select m.occurred_at, m.position, agent_memory.openness(m.visibility) as openness,
             agent_memory.window_part(ts_filter(m.search_vector, '{a}')) as lexemes
      from public.ai_memories as m
      where m.organization_id = windows.organization_id and m.context_id = c.context_id
        and m.kind = 'message' and m.forgotten_at is null
      order by m.occurred_at desc, m.position desc limit 3) as p
  ), messages as (
    select * from stored
    union all
    select t.context_id, t.occurred_at, t.ordinal, t.position, t.openness, t.lexemes from told as t
  ), windowed as (
    select m.ordinal,
           -- Never the words of a message that fewer may read than this one.
           case when lag(m.openness, 3) over before >= m.openness then lag(m.lexemes, 3) over before else '' end
           || case when lag(m.openness, 2) over before >= m.openness then lag(m.lexemes, 2) over before else '' end
           || case when lag(m.openness, 1) over before >= m.openness then lag(m.lexemes, 1) over before else '' end as lexemes
    from messages as m
    window before as (partition by m.context_id order by m.occurred_at, m.position)
  )
  select w.ordinal, setweight(w.lexemes, 'C') from windowed as w where w.ordinal > 0;
end
$$;
comment on function agent_memory.windows(uuid, agent_memory.draft[]) is
  'For each draft of a message the lexemes, weight C, of the up to three messages before it in its context: a turn is found by what it answers.';

create or replace function agent_memory.lock_conversations(organization_id uuid, context_ids uuid[])
returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return array(
    select c.id from public.ai_memory_contexts as c
    where c.organization_id = lock_conversations.organization_id and c.id = any (context_ids)
    order by c.id for update);
end
$$;
comment on function agent_memory.lock_conversations(uuid, uuid[]) is
  'Waits for those who are writing to some conversations, and keeps further ones waiting until the end of the transaction. Answers those that are there still.';

create or replace function agent_memory.lock_memories(organization_id uuid, ids uuid[], with_conversations boolean default true)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  if with_conversations then
    perform agent_memory.lock_conversations(lock_memories.organization_id, array(
      select distinct m.context_id from public.ai_memories as m
      where m.organization_id = lock_memories.organization_id and m.id = any (ids) and m.context_id is not null));
  end if;
  -- A writer that ends a value links it to the next one: who holds this one holds what it has ended, too.
  perform from public.ai_memories as m
    where m.organization_id = lock_memories.organization_id
      and m.id in (
        select i from unnest(ids) as i
        union all
        select s.id from unnest(ids) as i (id)
        join public.ai_memories as s on s.organization_id = lock_memories.organization_id and s.superseded_by = i.id)
    order by m.slot nulls first, m.dedup_key, m.agent_id, m.user_id, m.valid_from, m.created_at, m.id
    for update of m;
end
$$;
comment on function agent_memory.lock_memories(uuid, uuid[], boolean) is
  'Locks memories until the end of the transaction, in the one order in which all do it: conversations, as settle_contexts() does, then texts, as add_memories() does, then values, as set_slots() does. Without conversations for who changes nothing that these show.';

create or replace function agent_memory.refresh_windows(organization_id uuid, context_ids uuid[])
returns bigint
language sql
set search_path = pg_catalog, pg_temp
as $$
  -- Else a writer, or another refresh, would put words back that it saw before they went.
  select agent_memory.lock_conversations(refresh_windows.organization_id, context_ids);
  with windowed as (
    select m.id, setweight(
        case when lag(m.openness, 3) over before >= m.openness then lag(m.lexemes, 3) over before else '' end
        || case when lag(m.openness, 2) over before >= m.openness then lag(m.lexemes, 2) over before else '' end
        || case when lag(m.openness, 1) over before >= m.openness then lag(m.lexemes, 1) over before else '' end, 'C') as lexemes
    from (select m.*, agent_memory.openness(m.visibility) as openness,
                 agent_memory.window_part(ts_filter(m.search_vector, '{a}')) as lexemes
          from public.ai_memories as m) as m
    where m.organization_id = refresh_windows.organization_id and m.context_id = any (context_ids)
      and m.kind = 'message' and m.forgotten_at is null
    window before as (partition by m.context_id order by m.occurred_at, m.position)
  ), changed as (
    update public.ai_memories as m
    set window_lexemes = w.lexemes
    from windowed as w
    where m.organization_id = refresh_windows.organization_id and m.id = w.id
      and m.window_lexemes is distinct from w.lexemes
    returning m.id
  )
  select count(*) from changed
$$;
comment on function agent_memory.refresh_windows(uuid, uuid[]) is
  'Makes the windows of all messages of some conversations anew, and says how many changed.';

create or replace function public.append_memories(
  messages jsonb, context_key text default null, agent_id text default null, user_id text default null)
returns setof agent_memory.remembered_memory
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  shared jsonb := jsonb_strip_nulls(jsonb_build_object(
    'kind', 'message', 'context_key', context_key, 'agent_id', agent_id, 'user_id', user_id));
begin
  if jsonb_typeof(messages) is distinct from 'array' then
    raise exception using errcode = 'PM003', message = 'messages must be an array of objects',
      hint = 'Such as [{"role": "user", "content": "Hello"}].';
  end if;
  return query select r.* from public.remember_memories((
    select coalesce(jsonb_agg(case when jsonb_typeof(m.message) <> 'object' then m.message else
        shared
        || case when r.role is not null
             then jsonb_build_object('trust', r.trust, 'metadata', jsonb_build_object('role', r.role)) else '{}' end
        || case when m.message ? 'name' then jsonb_build_object('speaker', m.message -> 'name') else '{}' end
        || case when m.message ? 'created_at' then jsonb_build_object('occurred_at', m.message -> 'created_at') else '{}' end
        -- A role that is unknown stays, and is refused: it would count as the user's own words.
        || (m.message - array['name', 'created_at', case when r.role is not null or m.message ->> 'role' is null then 'role' end])
      end order by m.place), '[]')
    from jsonb_array_elements(messages) with ordinality as m (message, place)
    left join (values ('user', 'user'), ('assistant', 'assistant'), ('tool', 'tool'), ('system', 'document'),
                      ('developer', 'document')) as r (role, trust) on r.role = m.message ->> 'role')) as r;
end
$$;
comment on function public.append_memories(jsonb, text, text, text) is
  'Adds messages to a conversation in their order, as remember_memories() does: what of a list of several is stored already is recognised, the rest is said now. A message has content, and optionally role (user, assistant, tool, system, developer), name, created_at (when it was said), and the fields of remember_memories(). Answers as that does. Raises PM001, PM002, PM003, PM005, PM008.';

create or replace function agent_memory.surroundings(caller agent_memory.principal, ids uuid[], valid_at timestamptz)
returns table (id uuid, speaker text, before jsonb, after jsonb)
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
as $$
#variable_conflict use_column
begin
  return query
  select m.id, m.speaker, earlier.message, later.message
  from public.ai_memories as m
  left join lateral (
    select jsonb_build_object('id', o.id, 'content', o.content, 'speaker', o.speaker, 'trust', o.trust,
                              'user_id', o.user_id, 'occurred_at', o.occurred_at) as message
    from public.ai_memories as o
    where o.organization_id = caller.organization_id and o.context_id = m.context_id and o.kind = 'message'
      and o.occurred_at <= m.occurred_at and (o.occurred_at, o.position) < (m.occurred_at, m.position)
      and agent_memory.may_read(o.visibility, o.user_id, o.agent_id, caller.person, caller.program)
      and o.forgotten_at is null and o.valid_from <= valid_at and (o.valid_to is null or o.valid_to > valid_at)
      and (o.expires_at is null or o.expires_at > valid_at)
    order by o.occurred_at desc, o.position desc limit 1) as earlier on m.kind = 'message'
  left join lateral (
    select jsonb_build_object('id', o.id, 'content', o.content, 'speaker', o.speaker, 'trust', o.trust,
                              'user_id', o.user_id, 'occurred_at', o.occurred_at) as message
    from public.ai_memories as o
    where o.organization_id = caller.organization_id and o.context_id = m.context_id and o.kind = 'message'
      and o.occurred_at >= m.occurred_at and (o.occurred_at, o.position) > (m.occurred_at, m.position)
      and agent_memory.may_read(o.visibility, o.user_id, o.agent_id, caller.person, caller.program)
      and o.forgotten_at is null and o.valid_from <= valid_at and (o.valid_to is null or o.valid_to > valid_at)
      and (o.expires_at is null or o.expires_at > valid_at)
    order by o.occurred_at, o.position limit 1) as later on m.kind = 'message'
  where m.organization_id = caller.organization_id and m.id = any (ids);
end
$$;
comment on function agent_memory.surroundings(agent_memory.principal, uuid[], timestamptz) is
  'Who said each of some memories, which the caller must be known to see, and the messages before and after it that the caller may see and that are valid at a time.';
