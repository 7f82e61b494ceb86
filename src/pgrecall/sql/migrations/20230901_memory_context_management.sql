-- pgrecall: organizations, their members, conversations and memories.
--
-- A map of the whole schema
--   public        what clients call and read: the tables below and the functions
--                 recall_memories, remember_memories, update_memory, forget_memories,
--                 restore_memories, erase_memories, memory_history, configure_agent, agent_config,
--                 add_memory_stats.
--   agent_memory  what is private: who the caller is, what a caller may read or write, text
--                 indexing, the migration ledger. Clients have no rights on it.
--
--   organizations -+- organization_members      who belongs, with which role
--                  |- agent_memory_config       settings per agent, and their history beside it
--                  |- ai_memory_contexts        conversations
--                  |- ai_memory_erasures        that something was erased, and when; tombstones
--                  |                            of it are private
--                  |- ai_memories -+- ai_memory_embeddings   vectors, where pgvector is installed
--                  |               `- ai_memory_history      what was changed, when and by whom
--                  `- agent_memory_stats        hourly counts
--
-- Every table is keyed first by organization_id, every foreign key carries it, and Row Level
-- Security is on everywhere. Clients read tables under their policies and write through
-- functions only, so that index text, history and checks are made in one place, in the writer's
-- transaction.
--
-- Who is calling stands in the setting request.jwt.claims, as PostgREST sets it: `sub` is the
-- member, `app_metadata.organization_id` (or top-level `organization_id`, `org_id`) the
-- organization. A claim never suffices: the membership is looked up.
--
-- What runs at every call is in PL/pgSQL, which keeps its plans: before PostgreSQL 18 a function in SQL
-- that can't be inlined is planned at each call, which doubled the time of a write.
--
-- This file may be run any number of times, by psql as it is.
-- rerun-when: btree_gin, vector

-- Names below resolve to what they say, whatever the session's path was.
set search_path = pg_catalog, pg_temp;

do $encoding$
begin
  if pg_catalog.current_setting('server_encoding') <> 'UTF8' then
    raise exception using
      errcode = 'feature_not_supported',
      message = pg_catalog.format('pgrecall needs a database in UTF8; this one is in %s', pg_catalog.current_setting('server_encoding')),
      hint = 'CREATE DATABASE name ENCODING ''UTF8'' LOCALE ''C'' TEMPLATE template0; and run the migrations there.';
  end if;
end
$encoding$;

-- A table of somebody else's under one of our names is never taken over.
do $names$
declare
  taken regclass;
begin
  if pg_catalog.to_regnamespace('agent_memory') is not null then
    return;
  end if;
  select pg_catalog.to_regclass('public.' || name) into taken
    from pg_catalog.unnest(array[
      'organizations', 'organization_members', 'agent_memory_config', 'agent_memory_config_history', 'agent_memory_stats',
      'ai_memories', 'ai_memory_contexts', 'ai_memory_embeddings', 'ai_memory_history', 'ai_memory_audit', 'ai_memory_erasures']) as name
    where pg_catalog.to_regclass('public.' || name) is not null limit 1;
  if taken is not null then
    raise exception using
      errcode = 'duplicate_table',
      message = pg_catalog.format('table public.%I is there already and is not pgrecall''s', taken),
      hint = 'Rename it or move it to another schema, then run the migrations again.';
  end if;
end
$names$;

create schema if not exists agent_memory;
comment on schema agent_memory is 'pgrecall''s private half: identity, predicates, text indexing, migration ledger. Not for clients.';
revoke all on schema agent_memory from public;

-- Roles as Supabase has them, created where they are missing.
do $roles$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('anon', 'nologin noinherit'),
      ('authenticated', 'nologin noinherit'),
      ('service_role', 'nologin noinherit bypassrls')) as roles (name, attributes)
  loop
    continue when exists (select from pg_catalog.pg_roles where rolname = wanted.name);
    begin
      execute pg_catalog.format('create role %I %s', wanted.name, wanted.attributes);
    exception
      when duplicate_object or unique_violation then null;
      when insufficient_privilege then
        raise exception using
          errcode = 'insufficient_privilege',
          message = pg_catalog.format('role %I is missing and %I may not create it', wanted.name, current_user),
          hint = pg_catalog.format('As a superuser: CREATE ROLE %I %s; then run this again.',
                                   wanted.name, pg_catalog.upper(wanted.attributes));
    end;
  end loop;
end
$roles$;

grant usage on schema agent_memory to service_role;
grant usage on schema public to authenticated, service_role;

-- Extensions: none is required. They go where Supabase keeps them, when that schema exists.
do $extensions$
declare
  wanted text;
  target text := case when pg_catalog.to_regnamespace('extensions') is null then 'public' else 'extensions' end;
begin
  foreach wanted in array array['uuid-ossp', 'pgcrypto', 'btree_gin', 'vector'] loop
    continue when exists (select from pg_catalog.pg_extension where extname = wanted);
    if not exists (select from pg_catalog.pg_available_extensions where name = wanted) then
      raise notice 'pgrecall: extension % is not available on this server; going on without it', wanted;
      continue;
    end if;
    begin
      execute pg_catalog.format('create extension if not exists %I with schema %I', wanted, target);
    exception
      when insufficient_privilege then
        raise notice 'pgrecall: extension % is available, but % may not create it; going on without it. As a superuser: CREATE EXTENSION "%" WITH SCHEMA %; then run the migrations again.',
          wanted, current_user, wanted, target;
    end;
  end loop;
end
$extensions$;

-- Clock ---------------------------------------------------------------------------------------

create or replace function agent_memory.now()
returns timestamptz
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  pretended text := nullif(current_setting('pgrecall.now', true), '');
begin
  if pretended is null
     or not exists (select from pg_catalog.pg_roles r
                    where r.rolname = 'pgrecall_test' and pg_has_role(session_user, r.oid, 'member')) then
    return pg_catalog.now();
  end if;
  return pretended::timestamptz;
end
$$;
comment on function agent_memory.now() is
  'The time of the transaction. Sessions of members of the role pgrecall_test may pretend another one by the setting pgrecall.now; everyone else''s setting is ignored.';

create or replace function agent_memory.uuid_v7(at timestamptz default pg_catalog.clock_timestamp())
returns uuid
language plpgsql volatile parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  micros constant bigint := extract(epoch from at) * 1000000;
  random constant bytea := uuid_send(gen_random_uuid());
begin
  -- RFC 9562, version 7: 48 bits of milliseconds, 12 bits of the fraction of the millisecond
  -- (its method 3), 62 random bits.
  return lpad(to_hex(micros / 1000), 12, '0')
    || '7' || lpad(to_hex((micros % 1000) * 4096 / 1000), 3, '0')
    || substr('89ab', 1 + (get_byte(random, 8) & 3), 1)
    || substr(encode(random, 'hex'), 18);
end
$$;
comment on function agent_memory.uuid_v7(timestamptz) is
  'A time-ordered UUID, version 7 (RFC 9562); times a microsecond apart give ids in their order.';

-- Checks of values ----------------------------------------------------------------------------

create or replace function agent_memory.is_safe_json(value jsonb)
returns boolean
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Deeper or larger documents, and integers of thousands of digits, can be stored but break
  -- the clients that read them.
  return value = '{}'::jsonb
      or (pg_catalog.jsonb_typeof(value) = 'object'
          and pg_catalog.octet_length(value::text) <= 65536
          and not pg_catalog.jsonb_path_exists(value, 'strict $.**{32 to last}')
          and not pg_catalog.jsonb_path_exists(
            value, 'strict $.** ? (@.type() == "number" && (@ > 1e300 || @ < -1e300))'));
end
$$;
comment on function agent_memory.is_safe_json(jsonb) is
  'Whether a document is an object of at most 64 KiB and 32 levels, with numbers from -1e300 to 1e300.';

-- Languages -----------------------------------------------------------------------------------
--
-- A memory is indexed by the stemmer of its language: the one that its writer names, else the one
-- that its words betray. A question is asked in every language that its organization remembers in.

-- Of the languages that this server has a stemmer for, which differ by version. In PL/pgSQL, since
-- a function in SQL would be parsed and inlined for each INSERT, which took a sixth of it.
do $text_config$
begin
  execute pg_catalog.format($ddl$
    create or replace function agent_memory.text_config(language text)
    returns regconfig
    language plpgsql immutable parallel safe
    as $body$
    begin
      return case
        %s
        else 'pg_catalog.simple'::pg_catalog.regconfig
      end;
    end
    $body$ $ddl$, (
      select pg_catalog.string_agg(pg_catalog.format(
        'when language operator(pg_catalog.=) %1$L then %2$L::pg_catalog.regconfig', c.cfgname, 'pg_catalog.' || c.cfgname),
        E'\n        ' order by c.cfgname <> 'english', c.cfgname)
      from pg_catalog.pg_ts_config as c
      where c.cfgnamespace = 'pg_catalog'::pg_catalog.regnamespace and c.cfgname <> 'simple'));
end
$text_config$;
comment on function agent_memory.text_config(text) is
  'The text search configuration of a language; simple for one without a stemmer. A name, not a regconfig, is stored with each memory, since a column of type regconfig would stand in the way of pg_upgrade.';

create or replace function agent_memory.paired(content text)
returns text
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  -- Thai, Lao, Burmese, Khmer, Kana, Han, Hangul.
  letters constant text := '\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff';
  cut constant text := left(content, 30000);
begin
  if cut !~ ('[' || letters || ']') then
    return content;
  end if;
  return regexp_replace(cut, '([' || letters || ']{2})', ' \1 ', 'g') || ' '
    || regexp_replace(regexp_replace(regexp_replace(
         cut, '[^' || letters || ']+', ' ', 'g'), '(^| )[^ ]', ' ', 'g'), '([^ ]{2})', ' \1 ', 'g');
end
$$;
comment on function agent_memory.paired(text) is
  'A text in which the letters of scripts that part no words by spaces stand in overlapping pairs, by which they are found without a segmenter; other text is left as it is. Of a text with such letters, the first 30,000 characters.';

create or replace function agent_memory.lexemes(language text, content text)
returns tsvector
language sql immutable parallel safe
as $$
  -- Inlined. Plain ASCII has no letters to pair.
  select pg_catalog.to_tsvector(agent_memory.text_config(language), case
    when pg_catalog.octet_length(content) operator(pg_catalog.=) pg_catalog.char_length(content) then content
    else agent_memory.paired(content)
  end)
$$;
comment on function agent_memory.lexemes(text, text) is 'What a text is found by: its words, stemmed as its language does.';

create or replace function agent_memory.detected_language(content text)
returns text
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  sample constant text := lower(left(content, 500));
  languages constant text[] := '{english,german,french,spanish,italian,portuguese,dutch,swedish,danish,norwegian,finnish,hungarian,romanian,turkish}';
  words text[];
  stop_words bigint[];
  most bigint;
  found record;
begin
  -- The most usual cases first, by few words and then by more, since the full comparison takes ten
  -- times as long.
  if sample ~ '\m(the|and|you|that|with|this|what|your|they|she|was|have|i''m|it''s|don''t)\M.*\m(the|and|you|that|with|this|what|your|they|she|was|have|i''m|it''s|don''t)\M'
     or sample ~ '\m(the|and|you|that|with|this|what|your|they|she|was|have|i''m|it''s|don''t|it|my|to|how|thanks|really|that''s|been|great|sounds|about|just|there|those|can''t|it''ll)\M.*\m(the|and|you|that|with|this|what|your|they|she|was|have|i''m|it''s|don''t|it|my|to|how|thanks|really|that''s|been|great|sounds|about|just|there|those|can''t|it''ll)\M' then
    return 'english';
  end if;
  if octet_length(sample) > char_length(sample) then
    -- More than half of the letters are of a script.
    select s.language into found
      from (values ('arabic', '[^\u0620-\u064a]'), ('hindi', '[^\u0904-\u0939]'), ('russian', '[^\u0430-\u044f\u0451]'),
                   ('greek', '[^\u03ac-\u03ce]'), ('simple', '[^\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]')) as s (language, others)
      where 2 * char_length(regexp_replace(sample, s.others, '', 'g')) > char_length(regexp_replace(sample, '[\s\d[:punct:]]', '', 'g'));
    if found.language is not null then
      return found.language;
    end if;
  end if;
  words := (regexp_split_to_array(sample, '[\s\d[:punct:]]+'))[1:24];
  -- As one aggregate, in half the time that a join of languages and words takes.
  select array[
      count(*) filter (where ts_lexize('english_stem', w.word) = '{}'),
      count(*) filter (where ts_lexize('german_stem', w.word) = '{}'),
      count(*) filter (where ts_lexize('french_stem', w.word) = '{}'),
      count(*) filter (where ts_lexize('spanish_stem', w.word) = '{}'),
      count(*) filter (where ts_lexize('italian_stem', w.word) = '{}'),
      count(*) filter (where ts_lexize('portuguese_stem', w.word) = '{}'),
      count(*) filter (where ts_lexize('dutch_stem', w.word) = '{}'),
      count(*) filter (where ts_lexize('swedish_stem', w.word) = '{}'),
      count(*) filter (where ts_lexize('danish_stem', w.word) = '{}'),
      count(*) filter (where ts_lexize('norwegian_stem', w.word) = '{}'),
      count(*) filter (where ts_lexize('finnish_stem', w.word) = '{}'),
      count(*) filter (where ts_lexize('hungarian_stem', w.word) = '{}'),
      count(*) filter (where ts_lexize('romanian_stem', w.word) = '{}'),
      count(*) filter (where ts_lexize('turkish_stem', w.word) = '{}')]
    into stop_words
    from unnest(words) as w (word) where char_length(w.word) between 1 and 6;
  most := (select max(n) from unnest(stop_words) as n);
  return case when most >= 3 and 6 * most >= cardinality(words)
    then languages[array_position(stop_words, most)] end;
end
$$;
comment on function agent_memory.detected_language(text) is
  'The language of a text: by its script, or by whose stop words it has, three at least and every sixth word; null if that decides nothing.';

-- Tenancy -------------------------------------------------------------------------------------

create table if not exists public.organizations (
  organization_id uuid primary key default agent_memory.uuid_v7(),
  name text not null check (char_length(name) between 1 and 200),
  admins_read_private boolean not null default false,
  created_at timestamptz not null default agent_memory.now(),
  updated_at timestamptz not null default agent_memory.now()
);
comment on column public.organizations.admins_read_private is
  'Whether owners and admins may look at the private memories of members; each look is audited.';
comment on table public.organizations is 'The tenants. Every other row belongs to one of them.';

create table if not exists public.organization_members (
  organization_id uuid not null references public.organizations on delete cascade,
  user_id text not null check (char_length(user_id) between 1 and 255),
  role text not null check (role in ('owner', 'admin', 'member', 'viewer', 'agent')),
  created_at timestamptz not null default agent_memory.now(),
  updated_at timestamptz not null default agent_memory.now(),
  primary key (organization_id, user_id),
  constraint organization_members_programs_are_agents check ((role = 'agent') = (user_id like 'agent:%'))
);
comment on table public.organization_members is 'Who belongs to an organization. A change takes effect with the next statement.';
comment on column public.organization_members.user_id is
  'The `sub` of the member''s token: with Supabase Auth the text of auth.uid(); of a program `agent:` and its agent_id.';
create index if not exists organization_members_user_id_idx on public.organization_members (user_id);

-- Who is calling ------------------------------------------------------------------------------

do $types$
begin
  if pg_catalog.to_regtype('agent_memory.principal') is null then
    create type agent_memory.principal as (
      organization_id uuid, subject text, role text, person text, program text, verbs text[], reads uuid);
  end if;
end
$types$;
comment on type agent_memory.principal is
  'A verified caller: the active organization, the token''s subject, its role there, the subject as a person''s user_id or a program''s agent_id (one of the two is null), the verbs that its API key is limited to (null: all), and the organization whose rows it may read (null where the key may not recall).';

-- A project that has a table of members already replaces this one function, and nothing else. It
-- is created once and never again, so that running this file does not undo that. A replacement
-- names operators and tables with their schema, as this one does, since it is inlined; and it keeps
-- the rows of organization_members for programs.
do $memberships$
begin
  if pg_catalog.to_regprocedure('agent_memory.memberships(text)') is null then
    create function agent_memory.memberships(member text)
    returns table (organization_id uuid, role text)
    language sql stable parallel safe
    as $body$
      select m.organization_id, m.role
      from public.organization_members as m
      where m.user_id operator(pg_catalog.=) member
    $body$;
    comment on function agent_memory.memberships(text) is
      'The organizations that a subject belongs to, and its role in each: owner, admin, member, viewer or agent. Replace it to use a table of your own.';
  end if;
end
$memberships$;

-- Private tables that the verification reads -------------------------------------------------

create table if not exists agent_memory.api_keys (
  organization_id uuid not null references public.organizations on delete cascade,
  id uuid not null default agent_memory.uuid_v7(),
  name text not null check (char_length(name) between 1 and 200),
  prefix text not null,
  key_hash bytea not null check (octet_length(key_hash) = 32),
  agent_id text not null check (char_length(agent_id) between 1 and 255),
  verbs text[] not null check (verbs <@ '{recall,remember,forget}' and verbs <> '{}'),
  created_by text not null,
  created_at timestamptz not null default agent_memory.now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz,
  primary key (organization_id, id)
);
comment on table agent_memory.api_keys is 'Keys of programs: only a digest of each is stored.';
create index if not exists api_keys_hash_idx on agent_memory.api_keys (key_hash);
alter table agent_memory.api_keys enable row level security;

create table if not exists agent_memory.claim_signing (
  is_only boolean primary key default true check (is_only),
  secret bytea not null check (octet_length(secret) >= 32)
);
comment on table agent_memory.claim_signing is 'The secret that claims must be signed with, if there is a row; else claims are believed as they are set.';
alter table agent_memory.claim_signing enable row level security;
revoke all on agent_memory.api_keys, agent_memory.claim_signing from public, anon, authenticated, service_role;

create or replace function agent_memory.claim_signature(secret bytea, claims text, expires_at text)
returns text
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select encode(sha256(secret || sha256(secret || convert_to(expires_at || E'\n' || claims, 'UTF8'))), 'hex')
$$;
comment on function agent_memory.claim_signature(bytea, text, text) is
  'The signature of claims that are good until expires_at, in seconds since 1970: SHA-256 keyed twice, hexadecimal.';

create or replace function agent_memory.are_claims_signed(claims text)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  expires_at text := current_setting('pgrecall.claims_expire', true);
  key bytea := (select s.secret from agent_memory.claim_signing as s);
begin
  -- A setting that is absent makes a null, which must not pass.
  return key is null or coalesce(
    expires_at ~ '^[0-9]{1,10}$'
    and expires_at::bigint between extract(epoch from clock_timestamp()) and extract(epoch from clock_timestamp()) + 300
    and current_setting('pgrecall.claims_signature', true) = agent_memory.claim_signature(key, claims, expires_at), false);
end
$$;
comment on function agent_memory.are_claims_signed(text) is
  'Whether claims may be believed: if a secret is set, they must be signed with it for at most five minutes from now.';
create or replace function agent_memory.claimed_organization(claims jsonb)
returns jsonb
language sql immutable parallel safe
as $$
  -- Inlined into principal(), which every statement of a client runs.
  select case
    -- Of another type it says nothing that could be trusted, not even that it names none.
    when pg_catalog.jsonb_typeof(claims operator(pg_catalog.->) 'app_metadata') operator(pg_catalog.<>) all ('{object,"null"}')
      then 'null'::pg_catalog.jsonb
    when (claims operator(pg_catalog.->) 'app_metadata') operator(pg_catalog.?) 'organization_id'
      then claims operator(pg_catalog.->) 'app_metadata' operator(pg_catalog.->) 'organization_id'
    when claims operator(pg_catalog.?) 'organization_id' then claims operator(pg_catalog.->) 'organization_id'
    when claims operator(pg_catalog.?) 'org_id' then claims operator(pg_catalog.->) 'org_id'
  end
$$;
comment on function agent_memory.claimed_organization(jsonb) is
  'The organization that the claims name, as JSON; SQL null only if they name none. user_metadata is never read.';

create or replace function agent_memory.key_verbs(organization_id uuid, subject text, app_metadata jsonb)
returns text[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select k.verbs from agent_memory.api_keys as k
  where k.organization_id = key_verbs.organization_id
    and k.id::text = app_metadata ->> 'api_key_id'
    and subject = 'agent:' || k.agent_id
    and k.revoked_at is null
    and (k.expires_at is null or k.expires_at > agent_memory.now())
$$;
comment on function agent_memory.key_verbs(uuid, text, jsonb) is
  'What the API key behind the claims may do; null if it is unknown, revoked or expired.';

create or replace function agent_memory.principal()
returns agent_memory.principal
language plpgsql stable parallel safe security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  -- Every statement of a client runs this: what the usual claims need is few expressions, since
  -- PL/pgSQL prepares each of them anew in every transaction.
  claims jsonb := nullif(current_setting('request.jwt.claims', true), '');
  claimed jsonb := claims #> '{app_metadata,organization_id}';
  named text;
  subject text;
  member_of uuid;
  role text;
  takes_signature boolean;
  verbs text[];
begin
  if jsonb_typeof(claims -> 'sub') is distinct from 'string' then
    return null;
  end if;
  subject := claims ->> 'sub';
  if claimed is null then
    claimed := agent_memory.claimed_organization(claims);
    if claimed is null then
      select (array_agg(m.organization_id))[1], min(m.role), exists (select from agent_memory.claim_signing)
        into member_of, role, takes_signature
        from agent_memory.memberships(subject) as m
       having count(*) = 1;
    end if;
  end if;
  named := claimed #>> '{}';
  -- As a UUID is written, in lower case: a pattern of its digits costs five times as much.
  if named like '________-____-____-____-____________' and translate(named, '0123456789abcdef', '') = '----'
     and jsonb_typeof(claimed) = 'string' then
    select m.organization_id, m.role, exists (select from agent_memory.claim_signing)
      into member_of, role, takes_signature
      from agent_memory.memberships(subject) as m
     where m.organization_id = named::uuid;
  end if;
  if member_of is null
     or (role = 'agent') is distinct from starts_with(subject, 'agent:')
     or takes_signature and not agent_memory.are_claims_signed(current_setting('request.jwt.claims', true)) then
    return null;
  end if;
  if claims -> 'app_metadata' ? 'api_key_id' then
    verbs := agent_memory.key_verbs(member_of, subject, claims -> 'app_metadata');
    if verbs is null then
      return null;
    end if;
  end if;
  return row(
    member_of, subject, role,
    case when role <> 'agent' then subject end,
    case when role = 'agent' then substr(subject, 7) end,
    verbs,
    case when verbs is null or 'recall' = any (verbs) then member_of end)::agent_memory.principal;
end
$$;
comment on function agent_memory.principal() is
  'The verified caller of this transaction; all fields null if the claims are missing or malformed, name an organization that the caller does not belong to, or name none while the caller belongs to several.';

create or replace function agent_memory.active_organization()
returns uuid
language plpgsql stable parallel safe security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (agent_memory.principal()).reads;
end
$$;
comment on function agent_memory.active_organization() is
  'The one organization whose rows this transaction may read, its membership verified, or null.';

-- The two that follow run for every read as well: every name and operator in them carries its
-- schema, instead of a search path that each call would have to set. So nothing may stand in them
-- that names an operator without showing it, such as nullif, in or like.

create or replace function agent_memory.claimed_person()
returns text
language plpgsql stable parallel safe
as $$
declare
  subject pg_catalog.text default case when pg_catalog.current_setting('request.jwt.claims', true) operator(pg_catalog.<>) ''
    then pg_catalog.current_setting('request.jwt.claims', true)::pg_catalog.jsonb operator(pg_catalog.->>) 'sub' end;
begin
  return case when pg_catalog.starts_with(subject, 'agent:') then null else subject end;
end
$$;
comment on function agent_memory.claimed_person() is
  'The subject of the claims if it is a person''s user_id, else null. Verified by nothing: only to be used beside active_organization(), which verifies it, and which no row passes otherwise.';

create or replace function agent_memory.claimed_program()
returns text
language plpgsql stable parallel safe
as $$
declare
  subject pg_catalog.text default case when pg_catalog.current_setting('request.jwt.claims', true) operator(pg_catalog.<>) ''
    then pg_catalog.current_setting('request.jwt.claims', true)::pg_catalog.jsonb operator(pg_catalog.->>) 'sub' end;
begin
  return case when pg_catalog.starts_with(subject, 'agent:') then pg_catalog.substr(subject, 7) end;
end
$$;
comment on function agent_memory.claimed_program() is
  'The agent_id of the subject of the claims if it is a program, else null. Verified by nothing, as claimed_person().';

-- What a caller may see or change: the one expression, for policies and functions alike. may_read
-- names each parameter of the caller once, since policies put a sub-select in its place; and it is
-- a CASE, since the planner would look for an index for every arm of an OR. Operators carry their
-- schema, since an inlined body is read under the caller's search_path.

create or replace function agent_memory.may_read(
  visibility text, user_id text, agent_id text, person text, program text)
returns boolean
language sql immutable parallel safe
as $$
  select case
    when visibility operator(pg_catalog.=) 'organization' then true
    when agent_id operator(pg_catalog.=) coalesce(
      program, case when visibility operator(pg_catalog.=) 'agent' then agent_id end) then true
    else user_id operator(pg_catalog.=) person
  end
$$;
comment on function agent_memory.may_read(text, text, text, text, text) is
  'Whether a caller of the row''s organization may read it. Everyone: what is shared with the organization. A program: all that its own agent holds. A person: what agents share with people, and all that is about this person.';

create or replace function agent_memory.may_write(
  visibility text, user_id text, agent_id text, role text, person text, program text)
returns boolean
language sql immutable parallel safe
as $$
  select case
    when role operator(pg_catalog.=) 'agent' then agent_id operator(pg_catalog.=) program
    when role operator(pg_catalog.=) 'member' then user_id operator(pg_catalog.=) person
    when role operator(pg_catalog.=) any ('{owner,admin}')
      then user_id operator(pg_catalog.=) person or visibility operator(pg_catalog.<>) 'private'
    else false
  end
$$;
comment on function agent_memory.may_write(text, text, text, text, text, text) is
  'Whether a caller of the row''s organization may add, change or forget it. A program: what its own agent holds. A member: what is about them. Admins and owners: that and all that is not private. Viewers: nothing.';

create or replace function agent_memory.openness(visibility text)
returns integer
language sql immutable parallel safe
as $$
  select case
    when visibility operator(pg_catalog.=) 'private' then 1
    when visibility operator(pg_catalog.=) 'agent' then 2
    else 3
  end
$$;
comment on function agent_memory.openness(text) is
  'How widely a visibility shows: whoever may read a row may read what is at least as open, of the same user and agent.';

-- The policies' wrapping of the two stands here alone: sub-selects make PostgreSQL evaluate the
-- caller once per statement instead of once per row. Reading has the body of may_read itself, whose
-- parameters are the names of the columns: a function would be parsed and inlined again for every
-- statement, for a tenth of what the read of one row takes. Whoever changes may_read calls this again.
create or replace function agent_memory.policy(target regclass, may_read text, may_write text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  short text := (select relname from pg_catalog.pg_class where oid = target);
  tenant constant text := 'organization_id = (select agent_memory.active_organization())';
  person constant text := '(select agent_memory.claimed_person())';
  program constant text := '(select agent_memory.claimed_program())';
  is_readable text := (
    select regexp_replace(regexp_replace(regexp_replace(
      prosrc, '^\s*select\M', ''), '\mperson\M', person), '\mprogram\M', program)
    from pg_catalog.pg_proc where oid = 'agent_memory.may_read(text, text, text, text, text)'::regprocedure);
  readable text := tenant || case may_read
    when 'members' then ''
    when 'admins' then ' and (select (agent_memory.principal()).role) = any (''{owner,admin}'')'
    when 'readers' then format(' and (%s)', is_readable)
    when 'nobody' then ' and false' end;
  writable text := tenant || case may_write
    when 'writers' then format(
      ' and agent_memory.may_write(visibility, user_id, agent_id, (select (agent_memory.principal()).role), %s, %s)',
      person, program)
    when 'nobody' then ' and false' end;
begin
  execute format('alter table %s enable row level security', target);
  execute format('drop policy if exists %I on %s', short || '_select', target);
  execute format('drop policy if exists %I on %s', short || '_insert', target);
  execute format('drop policy if exists %I on %s', short || '_update', target);
  execute format('drop policy if exists %I on %s', short || '_delete', target);
  execute format('create policy %I on %s for select to authenticated using (%s)', short || '_select', target, readable);
  execute format('create policy %I on %s for insert to authenticated with check (%s)', short || '_insert', target, writable);
  execute format('create policy %I on %s for update to authenticated using (%s) with check (%s)', short || '_update', target, writable, writable);
  execute format('create policy %I on %s for delete to authenticated using (%s)', short || '_delete', target, writable);
  execute format('revoke all on %s from public, anon, authenticated, service_role', target);
  execute format('grant select on %s to authenticated', target);
  execute format('grant select, insert, update, delete on %s to service_role', target);
end
$$;
comment on function agent_memory.policy(regclass, text, text) is
  'Gives a table its Row Level Security, one policy a command, and its exact grants: may_read is members, admins, readers (whom may_read() lets) or nobody, may_write is writers (whom may_write() lets) or nobody. Clients are granted SELECT alone; the policies for writing are a second wall.';

-- Conversations -------------------------------------------------------------------------------

create table if not exists public.ai_memory_contexts (
  organization_id uuid not null references public.organizations on delete cascade,
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
comment on table public.ai_memory_contexts is 'One conversation or task each, addressed by the caller''s own context_key, such as a thread id.';
create unique index if not exists ai_memory_contexts_key_idx
  on public.ai_memory_contexts (organization_id, context_key, agent_id, (coalesce(user_id, '')));

-- Memories ------------------------------------------------------------------------------------

create table if not exists public.ai_memories (
  organization_id uuid not null references public.organizations on delete cascade,
  id uuid not null default agent_memory.uuid_v7(),
  agent_id text not null check (char_length(agent_id) between 1 and 255),
  user_id text check (char_length(user_id) between 1 and 255),
  context_id uuid,
  kind text not null default 'fact'
    check (kind in ('message', 'fact', 'preference', 'event', 'procedure', 'summary')),
  content text not null check (char_length(content) <= 100000 and content ~ '\S'),
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
  expires_at timestamptz,
  forgotten_at timestamptz,
  created_at timestamptz not null default agent_memory.now(),
  updated_at timestamptz not null default agent_memory.now(),
  idempotency_key text check (char_length(idempotency_key) between 1 and 255),
  dedup_key bytea,
  window_lexemes tsvector,
  search_vector tsvector not null generated always as (
    -- As agent_memory.lexemes(), which only those can call who may look into its schema.
    setweight(to_tsvector(agent_memory.text_config(language), case when octet_length(content) = char_length(content)
      then content else agent_memory.paired(content) end), 'A')
    || setweight(to_tsvector(agent_memory.text_config(language), agent_memory.paired(coalesce(speaker, ''))), 'B')
    || coalesce(window_lexemes, ''::tsvector)) stored,
  -- What recall weighs of a text, kept so that it need not read long ones.
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
    references public.ai_memories (organization_id, id),
  constraint ai_memories_private_has_user check (visibility <> 'private' or user_id is not null),
  constraint ai_memories_valid_range check (valid_to >= valid_from),
  -- Infinities and years beyond four digits can be stored, but many clients can't read them.
  constraint ai_memories_readable_times check (
    occurred_at between '0001-01-02Z' and '9999-12-30Z' and valid_from between '0001-01-02Z' and '9999-12-30Z'
    and valid_to between '0001-01-02Z' and '9999-12-30Z' and expires_at between '0001-01-02Z' and '9999-12-30Z')
);
-- Recall reads the text index of every memory it scores, several times: it stands in the row, not out of
-- line, unless that is longer than a page. That halved the time of a recall among long messages.
alter table public.ai_memories set (toast_tuple_target = 8160);
alter table public.ai_memories alter column search_vector set storage main;
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
comment on column public.ai_memories.superseded_by is 'The memory of the same slot that ended this one''s validity.';
comment on column public.ai_memories.expires_at is 'When it stops being recalled by itself.';
comment on column public.ai_memories.forgotten_at is 'Since when it is not recalled; restore_memories() clears it.';
comment on column public.ai_memories.idempotency_key is 'The caller''s key of the write; the same key again writes nothing.';
comment on column public.ai_memories.dedup_key is 'Digest of agent, user, context and normalised text; null for rows that a service inserted directly.';
comment on column public.ai_memories.window_lexemes is 'Lexemes, weight C, of the up to three messages before it in its context.';
comment on column public.ai_memories.search_vector is 'Own words with weight A, the speaker''s name B, the window''s words C.';
comment on column public.ai_memories.is_opening is 'Whether no message stands before it in its context, or it is none.';
comment on column public.ai_memories.is_question is 'Whether it ends in a question mark.';
comment on column public.ai_memories.has_question is 'Whether it has a question mark anywhere.';
comment on column public.ai_memories.has_digits is 'Whether it has any of the digits 0 to 9.';
comment on column public.ai_memories.names_time is 'Whether it names a time, in English: "yesterday", "next week", "in June".';

create unique index if not exists ai_memories_dedup_idx on public.ai_memories (organization_id, dedup_key)
  where dedup_key is not null and superseded_by is null and forgotten_at is null;
create unique index if not exists ai_memories_idempotency_idx on public.ai_memories (organization_id, agent_id, idempotency_key)
  where idempotency_key is not null;
create unique index if not exists ai_memories_slot_idx on public.ai_memories (organization_id, agent_id, slot, (coalesce(user_id, '')))
  where slot is not null and superseded_by is null and forgotten_at is null;
create index if not exists ai_memories_context_idx on public.ai_memories (organization_id, context_id, occurred_at, id);
create index if not exists ai_memories_user_idx on public.ai_memories (organization_id, user_id, occurred_at);
create index if not exists ai_memories_agent_idx on public.ai_memories (organization_id, agent_id, occurred_at);
create index if not exists ai_memories_time_idx on public.ai_memories (organization_id, occurred_at);
-- For the few that are no messages, or that an agent shares with all.
create index if not exists ai_memories_kind_idx on public.ai_memories (organization_id, kind) where kind <> 'message';
create index if not exists ai_memories_shared_idx on public.ai_memories (organization_id, agent_id) where visibility = 'organization';
create index if not exists ai_memories_slot_values_idx on public.ai_memories (organization_id, slot) where slot is not null;
create index if not exists ai_memories_superseded_by_idx on public.ai_memories (organization_id, superseded_by)
  where superseded_by is not null;

-- With btree_gin the organization is part of these two indexes; without, it is a filter. What writes
-- have left for later is read through for every term of a question: 4 MB, the default, took 7 ms each.
do $text_index$
begin
  if exists (select from pg_catalog.pg_extension where extname = 'btree_gin') then
    drop index if exists public.ai_memories_search_idx;
    drop index if exists public.ai_memories_metadata_idx;
    execute 'create index if not exists ai_memories_organization_metadata_idx on public.ai_memories using gin (organization_id, metadata jsonb_path_ops) with (gin_pending_list_limit = 256) where metadata <> ''{}''';
    execute 'create index if not exists ai_memories_organization_search_idx on public.ai_memories using gin (organization_id, search_vector) with (gin_pending_list_limit = 256)';
  else
    execute 'create index if not exists ai_memories_metadata_idx on public.ai_memories using gin (metadata jsonb_path_ops) with (gin_pending_list_limit = 256) where metadata <> ''{}''';
    execute 'create index if not exists ai_memories_search_idx on public.ai_memories using gin (search_vector) with (gin_pending_list_limit = 256)';
  end if;
end
$text_index$;
-- How frequent the words of a question are in a large organization, recall asks every 64th memory.
create index if not exists ai_memories_sample_idx on public.ai_memories using gin (search_vector)
  with (gin_pending_list_limit = 256) where uuid_hash(id) & 63 = 0;

-- Row Level Security and grants ---------------------------------------------------------------

select agent_memory.policy('public.organizations', 'members', 'nobody');
select agent_memory.policy('public.organization_members', 'members', 'nobody');
select agent_memory.policy('public.ai_memory_contexts', 'readers', 'writers');
select agent_memory.policy('public.ai_memories', 'readers', 'writers');

-- Settling an organization --------------------------------------------------------------------

create or replace function agent_memory.settle_agent(organization_id uuid, organization_name text, agent_id text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into public.organizations as o (organization_id, name)
    values (settle_agent.organization_id, organization_name)
    on conflict do nothing;
  insert into public.organization_members as m (organization_id, user_id, role)
    values (settle_agent.organization_id, 'agent:' || settle_agent.agent_id, 'agent')
    on conflict do nothing;
end
$$;
comment on function agent_memory.settle_agent(uuid, text, text) is
  'Creates an organization, and an agent''s membership in it, where they are missing. For trusted connections: the owner of the schema and service_role.';

-- Exact rights: what a function's callers are is said once, beside it.
create or replace function agent_memory.expose(target regprocedure, variadic callers text[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  caller text;
begin
  execute format('revoke all on function %s from public, anon, authenticated, service_role', target);
  foreach caller in array callers loop
    execute format('grant execute on function %s to %I', target, caller);
  end loop;
end
$$;
comment on function agent_memory.expose(regprocedure, text[]) is
  'Takes EXECUTE on a function from everyone and grants it to the named roles.';

select agent_memory.expose(function::regprocedure, variadic callers)
from (values
  ('agent_memory.principal()', '{authenticated,service_role}'::text[]),
  ('agent_memory.active_organization()', '{authenticated,service_role}'),
  ('agent_memory.claimed_person()', '{authenticated,service_role}'),
  ('agent_memory.claimed_program()', '{authenticated,service_role}'),
  ('agent_memory.openness(text)', '{}'),
  ('agent_memory.may_read(text, text, text, text, text)', '{authenticated,service_role}'),
  ('agent_memory.may_write(text, text, text, text, text, text)', '{authenticated,service_role}'),
  ('agent_memory.now()', '{authenticated,service_role}'),
  ('agent_memory.uuid_v7(timestamptz)', '{service_role}'),
  ('agent_memory.is_safe_json(jsonb)', '{service_role}'),
  ('agent_memory.text_config(text)', '{service_role}'),
  ('agent_memory.paired(text)', '{service_role}'),
  ('agent_memory.lexemes(text, text)', '{service_role}'),
  ('agent_memory.detected_language(text)', '{}'),
  ('agent_memory.claimed_organization(jsonb)', '{service_role}'),
  ('agent_memory.memberships(text)', '{}'),
  ('agent_memory.claim_signature(bytea, text, text)', '{}'),
  ('agent_memory.are_claims_signed(text)', '{}'),
  ('agent_memory.key_verbs(uuid, text, jsonb)', '{}'),
  ('agent_memory.settle_agent(uuid, text, text)', '{service_role}'),
  ('agent_memory.policy(regclass, text, text)', '{}'),
  ('agent_memory.expose(regprocedure, text[])', '{}')
) as grants (function, callers);

-- What comes next on this connection, which a pooler may give to somebody else, has its own path.
reset search_path;
