-- Identity -----------------------------------------------------------------------------------

select agent_memory.define_type('principal', 'organization_id uuid, subject text, role text, person text, program text, verbs text[], reads uuid');
comment on type agent_memory.principal is
  'A verified caller: the active organization, the token''s subject, its role there, the subject as a person''s user_id or a program''s agent_id (one of the two is null), the verbs that its API key is limited to (null: all), and the organization whose rows it may read (null where the key may not recall).';

do $tables$
begin
  if pg_catalog.to_regclass('agent_memory.organizations') is null then
    create table agent_memory.organizations (
      organization_id uuid primary key default agent_memory.uuid_v7(),
      name text not null check (char_length(name) between 1 and 200),
      admins_read_private boolean not null default false,
      created_at timestamptz not null default agent_memory.now(),
      agent_settings jsonb not null default '{}',
      updated_at timestamptz not null default agent_memory.now()
    );
    alter table agent_memory.organizations enable row level security;
  end if;
end
$tables$;

do $tables$
begin
  if pg_catalog.to_regclass('agent_memory.members') is null then
    create table agent_memory.members (
      organization_id uuid not null references agent_memory.organizations on delete cascade,
      user_id text not null check (char_length(user_id) between 1 and 255),
      role text not null check (role in ('owner', 'admin', 'member', 'viewer', 'agent')),
      created_at timestamptz not null default agent_memory.now(),
      updated_at timestamptz not null default agent_memory.now(),
      primary key (organization_id, user_id),
      constraint members_programs_are_agents check ((role = 'agent') = (user_id like 'agent:%'))
    );
    create index members_user_id_idx on agent_memory.members (user_id);
    alter table agent_memory.members enable row level security;
  end if;
end
$tables$;

do $tables$
begin
  if pg_catalog.to_regclass('agent_memory.keys') is null then
    create table agent_memory.keys (
      organization_id uuid not null references agent_memory.organizations on delete cascade,
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
    create index keys_hash_idx on agent_memory.keys (key_hash);
    alter table agent_memory.keys enable row level security;
  end if;
end
$tables$;

do $tables$
begin
  if pg_catalog.to_regclass('agent_memory.claim_signing') is null then
    create table agent_memory.claim_signing (
      is_only boolean primary key default true check (is_only),
      secret bytea not null check (octet_length(secret) >= 32)
    );
    alter table agent_memory.claim_signing enable row level security;
  end if;
end
$tables$;
comment on column agent_memory.organizations.admins_read_private is
  'Whether owners and admins may look at the private memories of members; each look is audited.';
comment on table agent_memory.organizations is 'The tenants. Every other row belongs to one of them.';
comment on table agent_memory.members is 'Who belongs to an organization. A change takes effect with the next statement.';
comment on column agent_memory.members.user_id is
  'The `sub` of the member''s token: with Supabase Auth the text of auth.uid(); of a program `agent:` and its agent_id.';
comment on table agent_memory.keys is 'Keys of programs: only a digest of each is stored.';
comment on table agent_memory.claim_signing is 'The secret that claims must be signed with, if there is a row; else claims are believed as they are set.';
comment on column agent_memory.organizations.agent_settings is 'What holds for all agents that don''t set it themselves, changed by configure_memory() with no agent.';

-- A project that has a table of members already replaces this one function, and nothing else. It
-- is created once and never again, so that running this file does not undo that. A replacement
-- names operators and tables with their schema, as this one does, since it is inlined; and it keeps
-- the rows of agent_memory.members for programs.
do $memberships$
begin
  if pg_catalog.to_regprocedure('agent_memory.memberships(text)') is null then
    create function agent_memory.memberships(member text)
    returns table (organization_id uuid, role text)
    language sql stable parallel safe
    as $body$
      select m.organization_id, m.role
      from agent_memory.members as m
      where m.user_id operator(pg_catalog.=) member
    $body$;
    comment on function agent_memory.memberships(text) is
      'The organizations that a subject belongs to, and its role in each: owner, admin, member, viewer or agent. Replace it to use a table of your own.';
  end if;
end
$memberships$;

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
  select k.verbs from agent_memory.keys as k
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

-- Row Level Security and grants ---------------------------------------------------------------

-- Settling an organization --------------------------------------------------------------------

create or replace function agent_memory.settle_agent(organization_id uuid, organization_name text, agent_id text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  namesake uuid;
begin
  -- An id of version 5 was made of the name, by a client that takes it for the name of one organization. Others
  -- may have the name of another one.
  select o.organization_id into namesake from agent_memory.organizations as o
    where substr(settle_agent.organization_id::text, 15, 1) = '5' and o.name = organization_name
      and not exists (select from agent_memory.organizations as p where p.organization_id = settle_agent.organization_id)
    limit 1;
  if namesake is not null then
    raise exception 'an organization named % is there already, with another id', organization_name
      using errcode = 'PM007', hint = format('Name it by its id, %s.', namesake);
  end if;
  insert into agent_memory.organizations as o (organization_id, name)
    values (settle_agent.organization_id, organization_name)
    on conflict do nothing;
  insert into agent_memory.members as m (organization_id, user_id, role)
    values (settle_agent.organization_id, 'agent:' || settle_agent.agent_id, 'agent')
    on conflict do nothing;
end
$$;
comment on function agent_memory.settle_agent(uuid, text, text) is
  'Creates an organization, and an agent''s membership in it, where they are missing; PM007 if the id was made of the name, which another organization has. For trusted connections: the owner of the schema and service_role.';

-- Errors --------------------------------------------------------------------------------------

create or replace function agent_memory.require_member(verb text)
returns agent_memory.principal
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  caller agent_memory.principal := agent_memory.principal();
begin
  if caller.organization_id is null then
    raise exception using
      errcode = 'PM001',
      message = 'no organization is active for this caller',
      hint = 'The claims must carry the subject of a member and, if that member belongs to several organizations, app_metadata.organization_id.';
  elsif verb <> all (caller.verbs) then
    raise exception using
      errcode = 'PM002',
      message = format('this API key may not %s', verb),
      hint = case when verb = 'administer' then 'No API key may: owners and admins, and a program without a key for its own agent.'
        else 'An owner or admin can create a key with that verb.' end;
  end if;
  return caller;
end
$$;
comment on function agent_memory.require_member(text) is 'The verified caller; PM001 if there is none, PM002 if its key lacks the verb.';

create or replace function agent_memory.require_writer(verb text)
returns agent_memory.principal
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  caller agent_memory.principal := agent_memory.require_member(verb);
begin
  if caller.role = 'viewer' then
    raise exception using
      errcode = 'PM002',
      message = 'viewers of an organization may not change its memories',
      hint = 'An owner or admin can give this member the role member.';
  end if;
  return caller;
end
$$;
comment on function agent_memory.require_writer(text) is 'The verified caller, if its role and key may write at all; else PM001 or PM002.';

create or replace function agent_memory.require_admin(lowest text)
returns agent_memory.principal
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  caller agent_memory.principal := agent_memory.require_member('administer');
begin
  if caller.role <> 'owner' and (lowest = 'owner' or caller.role <> 'admin') then
    raise exception using errcode = 'PM002', message = format('this takes the role %s; the caller is %s', lowest, caller.role);
  end if;
  return caller;
end
$$;
comment on function agent_memory.require_admin(text) is 'The verified caller if it is an owner, or an admin where that suffices; else PM001 or PM002.';

create or replace function agent_memory.require_signed_claims(secret text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if secret is null then
    delete from agent_memory.claim_signing where is_only;
  elsif octet_length(convert_to(secret, 'UTF8')) < 32 then
    raise exception using errcode = 'PM003', message = 'the secret must have at least 32 bytes';
  else
    insert into agent_memory.claim_signing as s (secret) values (convert_to(require_signed_claims.secret, 'UTF8'))
      on conflict (is_only) do update set secret = excluded.secret;
  end if;
end
$$;
comment on function agent_memory.require_signed_claims(text) is
  'From now on claims are believed only if they are signed with this secret (claim_signature()), for those who let others run SQL through the service''s login; null ends that. Not for databases that PostgREST serves, since it does not sign. For the owner of the schema.';

create or replace function public.memory_status()
returns jsonb
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller constant agent_memory.principal := agent_memory.principal();
begin
  return jsonb_build_object(
    'organization_id', caller.organization_id, 'subject', caller.subject, 'role', caller.role, 'person', caller.person,
    'program', caller.program, 'verbs', caller.verbs, 'has_vector', agent_memory.has_vector());
end
$$;
comment on function public.memory_status() is
  'Who the caller is here, and what the server can do: {"organization_id", "subject", "role", "person", "program", "verbs", "has_vector"}. Without an active organization all but the last are null. Raises nothing.';
