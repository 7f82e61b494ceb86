-- Members and keys ---------------------------------------------------------------------------

select agent_memory.define_type('inspected_memory', '
  id uuid, content text, kind text, agent_id text, visibility text, occurred_at timestamptz,
  created_at timestamptz, forgotten_at timestamptz');
comment on type agent_memory.inspected_memory is
  'A memory as an admin sees it in a look at a user''s memories.';

select agent_memory.define_type('memory_key', '
  id uuid, name text, prefix text, agent_id text, verbs text[], created_by text, created_at timestamptz,
  expires_at timestamptz, revoked_at timestamptz, last_used_at timestamptz');
comment on type agent_memory.memory_key is
  'What can be known of a key: everything but the key.';

do $tables$
begin
  if pg_catalog.to_regclass('agent_memory.audit') is null then
    create table agent_memory.audit (
      organization_id uuid not null references agent_memory.organizations on delete cascade,
      id uuid not null default agent_memory.uuid_v7(),
      happened_at timestamptz not null default agent_memory.now(),
      actor text not null,
      action text not null check (action in (
        'member_set', 'member_removed', 'private_access_set', 'private_memories_read', 'api_key_created', 'api_key_revoked')),
      details jsonb not null default '{}' check (agent_memory.is_safe_json(details)),
      primary key (organization_id, id)
    );
    alter table agent_memory.audit enable row level security;
  end if;
end
$tables$;
comment on table agent_memory.audit is 'What owners and admins did to members, keys and private memories. Read by owners and admins, written by functions.';

create or replace function agent_memory.record_audit(caller agent_memory.principal, action text, details jsonb)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  insert into agent_memory.audit as a (organization_id, actor, action, details)
  values (caller.organization_id, caller.subject, record_audit.action, record_audit.details)
$$;
comment on function agent_memory.record_audit(agent_memory.principal, text, jsonb) is 'Writes down what a caller did.';

-- Members -------------------------------------------------------------------------------------

create or replace function public.set_memory_member(user_id text, role text)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  caller agent_memory.principal := agent_memory.require_admin('admin');
  old text;
begin
  -- Owners are changed one after another, so that two can't remove each other at once. The organization's
  -- row is left alone: everybody who writes holds it until the end of a transaction, which may never come.
  perform from agent_memory.members as m
    where m.organization_id = caller.organization_id and m.role = 'owner' and exists (
      select from agent_memory.members as changed
      where changed.organization_id = caller.organization_id and changed.user_id = set_memory_member.user_id
        and changed.role = 'owner')
    order by m.user_id for no key update of m;
  select m.role into old from agent_memory.members as m
    where m.organization_id = caller.organization_id and m.user_id = set_memory_member.user_id;
  if coalesce(char_length(set_memory_member.user_id), 0) not between 1 and 255 then
    raise exception using errcode = 'PM003', message = 'user_id must be a text of 1 to 255 characters';
  elsif set_memory_member.role not in ('owner', 'admin', 'member', 'viewer', 'agent') then
    raise exception using errcode = 'PM003', message = 'role must be owner, admin, member, viewer or agent, or null to remove the member';
  elsif set_memory_member.role is not null and (set_memory_member.role = 'agent') <> (set_memory_member.user_id like 'agent:%') then
    raise exception using errcode = 'PM003', message = 'programs, and only they, have a user_id that begins with agent: and the role agent';
  elsif caller.role = 'admin' and (old in ('owner', 'admin') or set_memory_member.role in ('owner', 'admin')) then
    raise exception using errcode = 'PM002', message = 'only an owner may appoint or change owners and admins';
  elsif old = 'owner' and set_memory_member.role is distinct from 'owner' and not exists (
      select from agent_memory.members as m
      where m.organization_id = caller.organization_id and m.role = 'owner' and m.user_id <> set_memory_member.user_id) then
    raise exception using errcode = 'PM007', message = 'an organization keeps at least one owner', hint = 'Appoint another owner first.';
  elsif set_memory_member.role is null then
    delete from agent_memory.members as m
      where m.organization_id = caller.organization_id and m.user_id = set_memory_member.user_id;
  else
    insert into agent_memory.members as m (organization_id, user_id, role, updated_at)
    values (caller.organization_id, set_memory_member.user_id, set_memory_member.role, agent_memory.now())
    on conflict (organization_id, user_id) do update set role = excluded.role, updated_at = excluded.updated_at;
  end if;
  perform agent_memory.record_audit(caller, case when set_memory_member.role is null then 'member_removed' else 'member_set' end,
    jsonb_build_object('user_id', set_memory_member.user_id, 'before', old, 'after', set_memory_member.role));
end
$$;
comment on function public.set_memory_member(text, text) is
  'Adds a member to the caller''s organization, changes its role, or, with a null role, removes it; effective with the next statement. For owners; admins may set members, viewers and agents. Raises PM001, PM002, PM003, PM007.';

-- Private memories ----------------------------------------------------------------------------

create or replace function public.set_private_memory_access(allowed boolean)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller agent_memory.principal := agent_memory.require_admin('owner');
begin
  if allowed is null then
    raise exception using errcode = 'PM003', message = 'allowed must be true or false';
  end if;
  update agent_memory.organizations as o set admins_read_private = allowed, updated_at = agent_memory.now()
    where o.organization_id = caller.organization_id;
  perform agent_memory.record_audit(caller, 'private_access_set', jsonb_build_object('allowed', allowed));
end
$$;
comment on function public.set_private_memory_access(boolean) is
  'Whether owners and admins may look at private memories by inspect_memories(). For owners; audited. Raises PM001, PM002, PM003.';

create or replace function public.inspect_memories(user_id text, reason text, match_limit integer default 100)
returns setof agent_memory.inspected_memory
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller agent_memory.principal := agent_memory.require_admin('admin');
begin
  if not (select o.admins_read_private from agent_memory.organizations as o
          where o.organization_id = caller.organization_id) then
    raise exception using errcode = 'PM002', message = 'this organization does not let admins look at private memories',
      hint = 'An owner can allow it: select set_private_memory_access(true).';
  elsif coalesce(reason, '') !~ '\S' or char_length(reason) > 1000 then
    raise exception using errcode = 'PM003', message = 'a reason of up to 1,000 characters must be given; it is written down';
  elsif coalesce(match_limit, 0) not between 1 and 1000 then
    raise exception using errcode = 'PM003', message = 'match_limit must be from 1 to 1000';
  end if;
  perform agent_memory.record_audit(caller, 'private_memories_read',
    jsonb_build_object('user_id', inspect_memories.user_id, 'reason', reason));
  return query
    select m.id, m.content, m.kind, m.agent_id, m.visibility, m.occurred_at, m.created_at, m.forgotten_at
    from public.ai_memories as m
    where m.organization_id = caller.organization_id and m.user_id = inspect_memories.user_id
    order by m.id desc limit match_limit;
end
$$;
comment on function public.inspect_memories(text, text, integer) is
  'All memories about a user, private ones included, newest first, for owners and admins of an organization that allows it; the look and its reason are audited. Raises PM001, PM002, PM003.';

create or replace function public.create_memory_key(
  name text, agent_id text, verbs text[] default '{recall,remember,forget}', expires_at timestamptz default null)
returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  caller agent_memory.principal := agent_memory.require_admin('admin');
  -- 244 random bits of two version 4 UUIDs.
  secret text := replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
  key text := 'pgr_' || secret;
  added uuid := agent_memory.uuid_v7();
begin
  if coalesce(char_length(name), 0) not between 1 and 200 or coalesce(char_length(agent_id), 0) not between 1 and 249 then
    raise exception using errcode = 'PM003', message = 'a key needs a name of up to 200 characters and an agent_id of up to 249';
  elsif coalesce(cardinality(verbs), 0) = 0 or not verbs <@ '{recall,remember,forget}' then
    raise exception using errcode = 'PM003', message = 'verbs must be some of recall, remember, forget';
  elsif expires_at <= agent_memory.now() then
    raise exception using errcode = 'PM003', message = 'expires_at lies in the past';
  end if;
  -- Whoever makes a key has it, and reads as that agent.
  if not (select o.admins_read_private from agent_memory.organizations as o where o.organization_id = caller.organization_id)
     and exists (select from public.ai_memories as m
                 where m.organization_id = caller.organization_id and m.agent_id = create_memory_key.agent_id
                   and m.visibility = 'private'
                 union all
                 -- Earlier words of what has been shared since.
                 select from agent_memory.history as h
                 where h.organization_id = caller.organization_id and h.agent_id = create_memory_key.agent_id
                   and h.visibility = 'private') then
    raise exception using errcode = 'PM002', message = format('agent %s holds private memories, which its key would open', agent_id),
      hint = 'An owner can allow that for this organization: select set_private_memory_access(true).';
  end if;
  insert into agent_memory.members as m (organization_id, user_id, role)
    values (caller.organization_id, 'agent:' || agent_id, 'agent') on conflict do nothing;
  insert into agent_memory.keys as k (organization_id, id, name, prefix, key_hash, agent_id, verbs, created_by, expires_at)
    values (caller.organization_id, added, name, left(key, 10), sha256(convert_to(key, 'UTF8')), agent_id, verbs, caller.subject, expires_at);
  perform agent_memory.record_audit(caller, 'api_key_created', jsonb_build_object(
    'id', added, 'name', name, 'agent_id', agent_id, 'verbs', verbs, 'expires_at', expires_at));
  return jsonb_build_object('id', added, 'key', key, 'prefix', left(key, 10));
end
$$;
comment on function public.create_memory_key(text, text, text[], timestamptz) is
  'Makes a key for a program of the caller''s organization and answers {"id", "key", "prefix"}: the only time that the key is shown. verbs are some of recall, remember, forget. For owners and admins; audited. Raises PM001, PM002, PM003.';

create or replace function public.list_memory_keys()
returns setof agent_memory.memory_key
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller agent_memory.principal := agent_memory.require_admin('admin');
begin
  return query
    select k.id, k.name, k.prefix, k.agent_id, k.verbs, k.created_by, k.created_at, k.expires_at, k.revoked_at, k.last_used_at
    from agent_memory.keys as k
    where k.organization_id = caller.organization_id
    order by k.id;
end
$$;
comment on function public.list_memory_keys() is 'The keys of the caller''s organization, without the keys themselves. For owners and admins. Raises PM001, PM002.';

create or replace function public.revoke_memory_key(key_id uuid)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller agent_memory.principal := agent_memory.require_admin('admin');
begin
  update agent_memory.keys as k set revoked_at = coalesce(k.revoked_at, agent_memory.now())
    where k.organization_id = caller.organization_id and k.id = key_id;
  if not found then
    raise exception using errcode = 'PM004', message = format('no API key %s', key_id);
  end if;
  perform agent_memory.record_audit(caller, 'api_key_revoked', jsonb_build_object('id', key_id));
end
$$;
comment on function public.revoke_memory_key(uuid) is 'Ends a key at once. For owners and admins; audited. Raises PM001, PM002, PM004.';

create or replace function public.authenticate_memory_key(key text)
returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  found_key record;
begin
  select k.organization_id, k.id, k.agent_id, k.last_used_at into found_key
    from agent_memory.keys as k
    where k.key_hash = sha256(convert_to(key, 'UTF8')) and k.revoked_at is null
      and (k.expires_at is null or k.expires_at > agent_memory.now());
  if found_key.id is null then
    raise exception using errcode = 'PM009', message = 'the API key is not valid';
  end if;
  -- Once a minute is exact enough, and nobody waits for it; a replica can't write it at all.
  if not pg_is_in_recovery() and (found_key.last_used_at is null
      or found_key.last_used_at < agent_memory.now() - interval '1 minute') then
    update agent_memory.keys as k set last_used_at = agent_memory.now()
      where k.organization_id = found_key.organization_id and k.id in (
        select free.id from agent_memory.keys as free
        where free.organization_id = found_key.organization_id and free.id = found_key.id
        for update skip locked);
  end if;
  return jsonb_build_object('sub', 'agent:' || found_key.agent_id, 'role', 'authenticated',
    'app_metadata', jsonb_build_object('organization_id', found_key.organization_id, 'api_key_id', found_key.id));
end
$$;
comment on function public.authenticate_memory_key(key text) is
  'The claims of the program that a key belongs to, to be set for its transactions; every one of those checks the key again, so that revoking it works at once. Raises PM009 for any key that is not good.';

-- What can be read of it ------------------------------------------------------------------------

create or replace function public.list_memory_members()
returns table (user_id text, role text, created_at timestamptz, updated_at timestamptz)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  caller constant agent_memory.principal := agent_memory.require_member('recall');
begin
  return query
    select m.user_id, m.role, m.created_at, m.updated_at
    from agent_memory.members as m
    where m.organization_id = caller.organization_id
    order by m.user_id;
end
$$;
comment on function public.list_memory_members() is
  'The members of the caller''s organization and their roles. For members. Raises PM001, PM002.';

create or replace function public.memory_audit(match_limit integer default 100, before uuid default null)
returns table (id uuid, happened_at timestamptz, actor text, action text, details jsonb)
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
    select a.id, a.happened_at, a.actor, a.action, a.details
    from agent_memory.audit as a
    where a.organization_id = caller.organization_id and (memory_audit.before is null or a.id < memory_audit.before)
    order by a.id desc limit match_limit;
end
$$;
comment on function public.memory_audit(integer, uuid) is
  'What owners and admins did to members, keys and private memories, newest first, 1 to 1000 at a time, those before the id `before`. For owners and admins. Raises PM001, PM002, PM003.';
