-- Rights --------------------------------------------------------------------------------------
--
-- Who may do what, said once: the installation makes it so, whatever default privileges the database
-- has, and `pgrecall doctor` compares with it. What is not named here nobody may do but the owner.

create or replace function agent_memory.declared_rights()
returns table (kind text, name text, grantee text, privilege text)
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  values
    ('schema', 'public', 'authenticated', 'USAGE'),
    ('schema', 'public', 'service_role', 'USAGE'),
    ('schema', 'agent_memory', 'service_role', 'USAGE')
  union all
  -- Clients read the tables of schema public under Row Level Security, and write by functions.
  select 'table', t.name, 'authenticated', 'SELECT'
  from (values ('public.ai_memory_contexts'), ('public.ai_memories'), ('public.agent_memory_config'),
               ('public.agent_memory_stats')) as t (name)
  union all
  -- A service that bypasses Row Level Security also writes.
  select 'table', t.name, 'service_role', p.privilege
  from (values ('public.ai_memory_contexts'), ('public.ai_memories'), ('public.agent_memory_config'),
               ('public.agent_memory_stats'), ('agent_memory.organizations'), ('agent_memory.members'),
               ('agent_memory.history'), ('agent_memory.embeddings'), ('agent_memory.pieces'), ('agent_memory.models'),
               ('agent_memory.config_history'), ('agent_memory.audit'), ('agent_memory.erasures')) as t (name)
  cross join (values ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE')) as p (privilege)
  union all
  -- What clients call.
  select 'function', f.signature, r.name, 'EXECUTE'
  from (values
    ('public.memory_status()'),
    ('public.remember_memories(jsonb)'),
    ('public.append_memories(jsonb, text, text, text)'),
    ('public.import_memories(jsonb, boolean)'),
    ('public.recall_memories(text, real[], text, text, text, text, text[], jsonb, timestamptz, timestamptz, timestamptz, integer, real)'),
    ('public.recall_in_context(text, real[], text, text, text, text, text[], jsonb, timestamptz, timestamptz, timestamptz, integer, real)'),
    ('public.explain_memories(text, real[], text, text, text, text, text[], jsonb, timestamptz, timestamptz, timestamptz, integer, real)'),
    ('public.update_memory(uuid, jsonb)'),
    ('public.forget_memories(jsonb, boolean)'),
    ('public.restore_memories(jsonb, boolean)'),
    ('public.erase_memories(jsonb, boolean)'),
    ('public.memory_history(uuid)'),
    ('public.memory_changes(uuid[])'),
    ('public.memory_erasures(integer, uuid)'),
    ('public.configure_memory(text, jsonb)'),
    ('public.memory_config(text)'),
    ('public.memory_config_history(text)'),
    ('public.memory_models(text)'),
    ('public.add_memory_model(text, integer, text)'),
    ('public.missing_memory_embeddings(text, text, uuid, integer)'),
    ('public.store_memory_embeddings(text, jsonb, text)'),
    ('public.switch_memory_model(text, text, integer)'),
    ('public.drop_memory_model(text, text, integer)'),
    ('public.add_memory_stats(jsonb)'),
    ('public.list_memory_members()'),
    ('public.set_memory_member(text, text)'),
    ('public.set_private_memory_access(boolean)'),
    ('public.inspect_memories(text, text, integer)'),
    ('public.memory_audit(integer, uuid)'),
    ('public.create_memory_key(text, text, text[], timestamptz)'),
    ('public.list_memory_keys()'),
    ('public.revoke_memory_key(uuid)'),
    ('public.authenticate_memory_key(text)')) as f (signature)
  cross join (values ('authenticated'), ('service_role')) as r (name)
  union all
  -- What the policies call as the client, who can't name it: the schema is not the client's.
  select 'function', f.signature, r.name, 'EXECUTE'
  from (values
    ('agent_memory.principal()'),
    ('agent_memory.active_organization()'),
    ('agent_memory.may_read(text, text, text, text, text)'),
    ('agent_memory.may_write(text, text, text, text, text, text)')) as f (signature)
  cross join (values ('authenticated'), ('service_role')) as r (name)
  union all
  -- What defaults, checks and generated columns call as the service that writes a row itself.
  select 'function', f.signature, 'service_role', 'EXECUTE'
  from (values
    ('agent_memory.now()'),
    ('agent_memory.uuid_v7(timestamptz)'),
    ('agent_memory.is_safe_json(jsonb)'),
    ('agent_memory.text_config(text)'),
    ('agent_memory.paired(text)'),
    ('agent_memory.slot_key(uuid, text, text, text)'),
    ('agent_memory.claimed_organization(jsonb)'),
    ('agent_memory.number_problem(text, jsonb, numeric, numeric, boolean)'),
    ('agent_memory.weights_problem(jsonb)'),
    ('agent_memory.built_in_settings()'),
    ('agent_memory.retention_problem(jsonb)'),
    ('agent_memory.settings_problem(jsonb)'),
    ('agent_memory.settle_agent(uuid, text, text)')) as f (signature)
$$;
comment on function agent_memory.declared_rights() is
  'Every right on an object of pgrecall that somebody other than its owner has; kind is schema, table or function.';

create or replace function agent_memory.wrong_rights()
returns table (kind text, name text, grantee text, privilege text, problem text, cure text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  with declared as materialized (
    select d.kind, d.grantee, d.privilege, case d.kind
        when 'function' then to_regprocedure(d.name)::text
        when 'table' then to_regclass(d.name)::text
        else to_regnamespace(d.name)::text end as name
    from agent_memory.declared_rights() as d
  ), objects as (
    select 'schema' as kind, n.nspname::text as name, coalesce(n.nspacl, acldefault('n', n.nspowner)) as acl, n.nspowner as owner
    from pg_namespace as n where n.nspname = 'agent_memory'
    union all
    select case p.prokind when 'p' then 'procedure' else 'function' end, p.oid::regprocedure::text, coalesce(p.proacl, acldefault('f', p.proowner)), p.proowner
    from pg_proc as p
    where p.pronamespace = 'agent_memory'::regnamespace
       or p.oid::regprocedure::text in (select d.name from declared as d where d.kind = 'function')
    union all
    select case c.relkind when 'S' then 'sequence' else 'table' end, c.oid::regclass::text,
           coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner)), c.relowner
    from pg_class as c
    where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
      and (c.relnamespace = 'agent_memory'::regnamespace
           or c.oid::regclass::text in (select d.name from declared as d where d.kind = 'table'))
    union all
    select 'type', t.oid::regtype::text, coalesce(t.typacl, acldefault('T', t.typowner)), t.typowner
    from pg_type as t
    left join pg_class as c on c.oid = t.typrelid
    where t.typnamespace = 'agent_memory'::regnamespace and t.typelem = 0 and (t.typrelid = 0 or c.relkind = 'c')
  ), columns as (
    select o.name, a.attname, a.attacl, o.owner
    from objects as o
    join pg_attribute as a on a.attrelid = to_regclass(o.name) and a.attacl is not null and not a.attisdropped
    where o.kind = 'table'
  ), present as (
    select o.kind, o.name, null::name as attname, g.grantee, g.privilege_type, g.is_grantable
    from objects as o cross join lateral aclexplode(o.acl) as g
    -- Whoever may look into the schema may use its types, as everywhere.
    where g.grantee <> o.owner and not (o.kind = 'type' and g.grantee = 0)
    union all
    select 'table', c.name, c.attname, g.grantee, g.privilege_type, g.is_grantable
    from columns as c cross join lateral aclexplode(c.attacl) as g where g.grantee <> c.owner
  ), named as (
    select p.kind, p.name, p.attname, p.privilege_type as privilege, p.is_grantable,
           case p.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(p.grantee)) end as grantee
    from present as p
  ), judged as (
    select n.*, n.attname is null and exists (
             select from declared as d
             where (d.kind, d.name, quote_ident(d.grantee), d.privilege) = (n.kind, n.name, n.grantee, n.privilege)) as is_declared
    from named as n
  )
  select j.kind, j.name, j.grantee, j.privilege, case when j.is_declared then 'grantable' else 'undeclared' end,
         -- What was handed on by it goes with it.
         format('REVOKE %s%s%s ON %s %s FROM %s CASCADE', case when j.is_declared then 'GRANT OPTION FOR ' end, j.privilege,
                case when j.attname is not null then format(' (%I)', j.attname) end, upper(j.kind), j.name, j.grantee)
  from judged as j
  where not j.is_declared or j.is_grantable
  union all
  select d.kind, d.name, d.grantee, d.privilege, 'missing',
         format('GRANT %s ON %s %s TO %I', d.privilege, upper(d.kind), d.name, d.grantee)
  from declared as d
  where d.name is not null
    -- Of schema public, which is not ours, a right that all have is as good.
    and case when d.name = 'public' then not has_schema_privilege(d.grantee::name, 'public', d.privilege)
             else not exists (
               select from named as n
               where n.attname is null and (n.kind, n.name, n.grantee, n.privilege) = (d.kind, d.name, quote_ident(d.grantee), d.privilege)) end
  order by 1, 2, 3, 4;
end
$$;
comment on function agent_memory.wrong_rights() is
  'Rights that are not as declared_rights() says: undeclared, grantable (declared, but without the option to hand it on) or missing, each with the statement that cures it.';

create or replace function agent_memory.apply_rights()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  wrong record;
begin
  for wrong in select * from agent_memory.wrong_rights() loop
    execute wrong.cure;
    if wrong.kind = 'schema' and wrong.name = 'public' then
      insert into agent_memory.additions (kind, name) values ('right', wrong.grantee) on conflict do nothing;
    end if;
  end loop;
end
$$;
comment on function agent_memory.apply_rights() is 'Makes the rights as declared_rights() says.';
