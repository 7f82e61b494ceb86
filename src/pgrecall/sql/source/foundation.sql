-- Foundation -----------------------------------------------------------------------------------
--
-- What must hold before anything is made, and the few functions that make the rest. Nothing here
-- takes over what is another application's: a name that is taken ends the installation before it
-- has changed anything.

-- preflight: begins
do $preflight$
declare
  public_relations constant text[] := /* @public-relations */ '{}';
  public_functions constant text[] := /* @public-functions */ '{}';
  release constant text := /* @release */ '0';
  database constant text := pg_catalog.quote_ident(pg_catalog.current_database());
  installer constant text := pg_catalog.quote_ident(current_user);
  is_superuser constant boolean := (select r.rolsuper from pg_catalog.pg_roles as r where r.rolname = current_user);
  may_create_roles constant boolean := (select r.rolcreaterole from pg_catalog.pg_roles as r where r.rolname = current_user);
  may_bypass constant boolean := (select r.rolbypassrls from pg_catalog.pg_roles as r where r.rolname = current_user);
  is_16 constant boolean := pg_catalog.current_setting('server_version_num')::integer >= 160000;
  is_here constant boolean := pg_catalog.to_regclass('agent_memory.migrations') is not null;
  is_owner constant boolean := is_superuser or exists (
    select from pg_catalog.pg_class as c
    where c.oid = pg_catalog.to_regclass('agent_memory.migrations') and pg_catalog.pg_has_role(current_user, c.relowner, 'USAGE'));
  had text[] := '{}';
  taken text[];
  missing text[] := '{}';
  cures text[] := '{}';
  wanted record;
begin
  if pg_catalog.current_setting('server_encoding') <> 'UTF8' then
    raise exception using
      errcode = 'feature_not_supported',
      message = pg_catalog.format('pgrecall needs a database in UTF8; this one is in %s', pg_catalog.current_setting('server_encoding')),
      hint = 'CREATE DATABASE name ENCODING ''UTF8'' LOCALE ''C'' TEMPLATE template0; and run the migrations there.';
  end if;

  -- Where the ledger is, pgrecall has been here, and the names of that release are its own.
  if is_here and is_owner and pg_catalog.to_regprocedure('agent_memory.declared_rights()') is not null then
    execute 'select array(select distinct pg_catalog.split_part(pg_catalog.split_part(d.name, ''.'', 2), ''('', 1)
             from agent_memory.declared_rights() as d where d.name like ''public.%'')' into had;
  end if;
  taken := array(
    select pg_catalog.format('%s public.%I', case c.relkind
        when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' when 'S' then 'sequence'
        when 'i' then 'index' when 'I' then 'index' when 'c' then 'type' else 'table' end, c.relname)
    from pg_catalog.pg_class as c
    left join pg_catalog.pg_index as i on i.indexrelid = c.oid
    left join pg_catalog.pg_class as t on t.oid = i.indrelid and t.relnamespace = c.relnamespace
    where c.relnamespace = 'public'::pg_catalog.regnamespace and c.relname = any (public_relations)
      and coalesce(t.relname, c.relname) <> all (had)
    union all
    select pg_catalog.format('%s public.%I', case t.typtype when 'd' then 'domain' else 'type' end, t.typname)
    from pg_catalog.pg_type as t
    where t.typnamespace = 'public'::pg_catalog.regnamespace and t.typrelid = 0
      and pg_catalog.ltrim(t.typname, '_') = any (public_relations)
      and not exists (select from pg_catalog.pg_type as e where e.oid = t.typelem and e.typrelid <> 0)
    union all
    -- With other arguments, too: it could be called in the stead of ours.
    select pg_catalog.format('%s %s', case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end,
                             p.oid::pg_catalog.regprocedure)
    from pg_catalog.pg_proc as p
    where p.pronamespace = 'public'::pg_catalog.regnamespace and p.proname = any (public_functions)
      and p.proname <> all (had)
    union all
    -- Who owns the schema could drop what stands in it.
    select pg_catalog.format('schema agent_memory, of %I', r.rolname)
    from pg_catalog.pg_namespace as n
    join pg_catalog.pg_roles as r on r.oid = n.nspowner
    where n.nspname = 'agent_memory' and not is_here
      and (exists (select from pg_catalog.pg_class as c where c.relnamespace = n.oid)
           or exists (select from pg_catalog.pg_proc as p where p.pronamespace = n.oid)
           or exists (select from pg_catalog.pg_type as t where t.typnamespace = n.oid)
           or not (r.rolsuper or r.rolname = current_user))
    order by 1);
  -- Who is not the owner is told so below, and can't know what was had.
  if taken <> '{}' and (is_owner or not is_here) then
    raise exception using
      errcode = 'duplicate_object',
      message = pg_catalog.format('in the way, and not pgrecall''s: %s', pg_catalog.array_to_string(taken, ', ')),
      hint = 'Nothing was changed. pgrecall needs these names: install it into a database of its own (CREATE DATABASE name; and run the migrations there).';
  end if;

  if is_here and is_owner then
    for wanted in
      execute 'select m.release from agent_memory.migrations as m'
    loop
      if pg_catalog.string_to_array(pg_catalog.regexp_replace(wanted.release, '[^0-9.].*', ''), '.')::integer[]
         > pg_catalog.string_to_array(pg_catalog.regexp_replace(release, '[^0-9.].*', ''), '.')::integer[] then
        raise exception using errcode = 'object_not_in_prerequisite_state',
          message = pg_catalog.format('this database has pgrecall %s; this is release %s', wanted.release, release),
          hint = 'pip install --upgrade pgrecall, or use the files of that release.';
      end if;
    end loop;
  end if;

  -- What the installer may do, asked all at once.
  if pg_catalog.to_regnamespace('agent_memory') is null and not pg_catalog.has_database_privilege(current_user, pg_catalog.current_database(), 'CREATE') then
    missing := pg_catalog.array_append(missing, 'CREATE on the database');
    cures := pg_catalog.array_append(cures, pg_catalog.format('GRANT CREATE ON DATABASE %s TO %s;', database, installer));
  end if;
  -- Each is dropped or replaced by its owner alone.
  if is_here and not is_superuser then
    for wanted in
      select distinct r.rolname as name, r.rolsuper
      from (
        select n.nspowner as owner from pg_catalog.pg_namespace as n where n.nspname = 'agent_memory'
        union all select c.relowner from pg_catalog.pg_class as c where c.relnamespace = pg_catalog.to_regnamespace('agent_memory')
        union all select p.proowner from pg_catalog.pg_proc as p where p.pronamespace = pg_catalog.to_regnamespace('agent_memory')
        union all select c.relowner from pg_catalog.pg_class as c
          where c.relnamespace = 'public'::pg_catalog.regnamespace and c.relname = any (public_relations)
        union all select p.proowner from pg_catalog.pg_proc as p
          where p.pronamespace = 'public'::pg_catalog.regnamespace and p.proname = any (public_functions)) as owned
      join pg_catalog.pg_roles as r on r.oid = owned.owner
      where not pg_catalog.pg_has_role(current_user, owned.owner, 'USAGE')
    loop
      missing := pg_catalog.array_append(missing, pg_catalog.format('ownership of what %I owns', wanted.name));
      cures := pg_catalog.array_append(cures, case when wanted.rolsuper then pg_catalog.format('-- run the migrations as %I', wanted.name)
        else pg_catalog.format('GRANT %I TO %s;', wanted.name, installer) end);
    end loop;
  end if;
  if not (pg_catalog.has_schema_privilege('public', 'USAGE') and pg_catalog.has_schema_privilege('public', 'CREATE')) then
    missing := pg_catalog.array_append(missing, 'USAGE and CREATE on schema public');
    cures := pg_catalog.array_append(cures, pg_catalog.format('GRANT USAGE, CREATE ON SCHEMA public TO %s;', installer));
  end if;
  for wanted in
    select w.name, w.attributes, w.name = 'service_role' as bypasses, r.oid
    from (values ('anon', 'NOLOGIN NOINHERIT'), ('authenticated', 'NOLOGIN NOINHERIT'),
                 ('service_role', 'NOLOGIN NOINHERIT BYPASSRLS')) as w (name, attributes)
    left join pg_catalog.pg_roles as r on r.rolname = w.name
  loop
    if wanted.oid is null then
      if not (is_superuser or may_create_roles and (not wanted.bypasses or is_16 and may_bypass)) then
        missing := pg_catalog.array_append(missing, pg_catalog.format('the role %I, and the right to create it', wanted.name));
        cures := pg_catalog.array_append(cures, pg_catalog.format('CREATE ROLE %I %s;', wanted.name, wanted.attributes));
        if wanted.name <> 'anon' then
          cures := pg_catalog.array_append(cures, pg_catalog.format('GRANT %I TO %s;', wanted.name, installer));
        end if;
      end if;
    -- The client acts as these, on the installer's own connection too.
    elsif wanted.name <> 'anon' and not is_superuser and not pg_catalog.pg_has_role(current_user, wanted.oid, 'MEMBER')
        and not (may_create_roles and not is_16)
        and not exists (select from pg_catalog.pg_auth_members as m
                        where m.roleid = wanted.oid and m.admin_option and pg_catalog.pg_has_role(current_user, m.member, 'USAGE')) then
      missing := pg_catalog.array_append(missing, pg_catalog.format('membership in role %I', wanted.name));
      cures := pg_catalog.array_append(cures, pg_catalog.format('GRANT %I TO %s;', wanted.name, installer));
    end if;
  end loop;
  if missing <> '{}' then
    raise exception using
      errcode = 'insufficient_privilege',
      message = pg_catalog.format('%s lacks %s', current_user, pg_catalog.array_to_string(missing, ', ')),
      hint = 'Nothing was changed. As a superuser: ' || pg_catalog.array_to_string(cures, ' ') || ' Then run this again.';
  end if;
end
$preflight$;
-- preflight: ends

-- Upgrades come first: they change tables as the files below can't.
do $order$
declare
  upgrades constant text[] := /* @upgrades */ '{}';
  lacking text[];
begin
  if pg_catalog.to_regclass('agent_memory.migrations') is not null then
    execute 'select array(select u from pg_catalog.unnest($1) as u
             where not exists (select from agent_memory.migrations as m where m.name = u)
               and exists (select from agent_memory.migrations as m where m.name = ''20230901_memory_context_management.sql'')
             order by 1)' into lacking using upgrades;
    if lacking <> '{}' then
      raise exception using errcode = 'object_not_in_prerequisite_state',
        message = pg_catalog.format('this database was made by an earlier release of pgrecall and lacks %s', pg_catalog.array_to_string(lacking, ', ')),
        hint = 'Apply these files of sql/upgrades first, or let pgrecall migrate do all of it.';
    end if;
  end if;
end
$order$;

create schema if not exists agent_memory;
comment on schema agent_memory is 'pgrecall''s private half. Not for clients, which call the functions of schema public.';

-- The ledger ----------------------------------------------------------------------------------

do $tables$
begin
  if pg_catalog.to_regclass('agent_memory.migrations') is null then
    create table agent_memory.migrations (
      name text primary key,
      checksum text not null check (checksum ~ '^[0-9a-f]{64}$'),
      release text not null,
      applied_at timestamptz not null default pg_catalog.clock_timestamp(),
      applied_by text not null default session_user,
      features text[] not null
    );
    alter table agent_memory.migrations enable row level security;
  end if;
  if pg_catalog.to_regclass('agent_memory.fingerprints') is null then
    create table agent_memory.fingerprints (
      kind text not null,
      name text not null,
      part_of text,
      definition text not null,
      cure text,
      primary key (kind, name)
    );
    alter table agent_memory.fingerprints enable row level security;
  end if;
  if pg_catalog.to_regclass('agent_memory.additions') is null then
    create table agent_memory.additions (
      kind text not null check (kind in ('extension', 'membership', 'right', 'role', 'schema')),
      name text not null,
      primary key (kind, name)
    );
    alter table agent_memory.additions enable row level security;
  end if;
end
$tables$;
comment on table agent_memory.migrations is 'The ledger of migrations: one row a file, as it was when it was last applied.';
comment on column agent_memory.migrations.checksum is 'SHA-256 of the file''s text, with Unix line endings and without its last statement, which records it here.';
comment on column agent_memory.migrations.release is 'The release of pgrecall that the file is of.';
comment on column agent_memory.migrations.features is
  'The extensions that matter, as they were: ''vector 0.8.1'', or ''vector available'' where only the server had it. When one has changed, the files are applied again.';
comment on table agent_memory.fingerprints is 'Every object of the schema as the catalogs described it when the migrations had been applied; `pgrecall migrate --status` names what differs. It finds accidents: who owns the schema can write here, too.';
comment on column agent_memory.fingerprints.part_of is 'The object with which it comes and goes.';
comment on column agent_memory.fingerprints.cure is 'The statement that makes it as it was; null where applying the migrations again does.';
comment on table agent_memory.additions is 'What the installation made outside of its own schema and of schema public, so that uninstalling can take it away: of a membership of the owner''s, and of the right to use schema public, name is the role.';

create or replace function agent_memory.features()
returns text[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select array(
    select w.name || ' ' || coalesce(e.extversion, 'available')
    from unnest(array['btree_gin', 'vector']) as w (name)
    left join pg_extension as e on e.extname = w.name
    where e.extname is not null or exists (select from pg_available_extensions as a where a.name = w.name)
    order by 1)
$$;
comment on function agent_memory.features() is
  'The extensions that the schema depends on: each with its version, or as available where the server could give it; what it can''t give is left out.';

create or replace function agent_memory.begin_migration(name text, release text)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  first constant text := '20230901_memory_context_management.sql';
begin
  if not exists (select from agent_memory.migrations as m where m.name = first and m.release = begin_migration.release) then
    raise exception using errcode = 'object_not_in_prerequisite_state',
      message = format('%s is to be applied after %s of the same release', name, first);
  end if;
end
$$;
comment on function agent_memory.begin_migration(text, text) is 'Refuses a later file of the full install before the first one of its release.';

create or replace function agent_memory.record_migration(name text, release text, checksum text)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  insert into agent_memory.migrations as m (name, checksum, release, features)
  values (record_migration.name, record_migration.checksum, record_migration.release, agent_memory.features())
  on conflict (name) do update
  set checksum = excluded.checksum, release = excluded.release, applied_at = excluded.applied_at,
      applied_by = excluded.applied_by, features = excluded.features
$$;
comment on function agent_memory.record_migration(text, text, text) is 'Writes down that a file was applied.';

create or replace function agent_memory.record_upgrade(name text, release text, checksum text)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  insert into agent_memory.migrations as m (name, checksum, release, features)
  values (record_upgrade.name, record_upgrade.checksum, record_upgrade.release, agent_memory.features())
  on conflict (name) do nothing
$$;
comment on function agent_memory.record_upgrade(text, text, text) is
  'Writes down that an upgrade was applied; where one of its name was, it has changed nothing, and neither does this.';

-- A new database has what the upgrades of earlier releases would change.
insert into agent_memory.migrations as m (name, checksum, release, features)
select u, pg_catalog.repeat('0', 64), /* @release */ '0', '{}'
from pg_catalog.unnest((/* @upgrades */ '{}')::text[]) as u
on conflict (name) do nothing;

-- Roles and extensions ------------------------------------------------------------------------

-- Roles as Supabase has them, created where they are missing. Whoever installs becomes a member of the
-- two that clients and services act as, unless it is a superuser.
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
    if not exists (select from pg_catalog.pg_roles where rolname = wanted.name) then
      begin
        execute pg_catalog.format('create role %I %s', wanted.name, wanted.attributes);
        insert into agent_memory.additions (kind, name) values ('role', wanted.name) on conflict do nothing;
      exception
        -- Another database of this server is being installed into.
        when duplicate_object or unique_violation then null;
      end;
    end if;
    -- In 16 and later who creates a role may act as it only once it has granted itself that.
    if wanted.name <> 'anon' and not (select r.rolsuper from pg_catalog.pg_roles as r where r.rolname = current_user)
       and not exists (
         select from pg_catalog.pg_auth_members as m
         where m.roleid = wanted.name::pg_catalog.regrole and m.member = current_user::pg_catalog.regrole
           and (pg_catalog.to_jsonb(m) ->> 'set_option')::boolean is not false)
       and not (pg_catalog.current_setting('server_version_num')::integer < 160000
                and pg_catalog.pg_has_role(current_user, wanted.name::pg_catalog.regrole, 'MEMBER')) then
      begin
        execute pg_catalog.format('grant %I to %I', wanted.name, current_user);
        insert into agent_memory.additions (kind, name) values ('membership', wanted.name) on conflict do nothing;
      exception
        -- It is a member through another role.
        when insufficient_privilege then null;
      end;
    end if;
  end loop;
end
$roles$;

-- Extensions: none is required. They stay where they are; new ones go where Supabase keeps them.
do $extensions$
declare
  wanted text;
begin
  foreach wanted in array array['uuid-ossp', 'pgcrypto', 'btree_gin', 'vector'] loop
    continue when exists (select from pg_catalog.pg_extension where extname = wanted);
    if not exists (select from pg_catalog.pg_available_extensions where name = wanted) then
      raise warning 'extension % is not available on this server; going on without it', wanted;
      continue;
    end if;
    begin
      if pg_catalog.to_regnamespace('extensions') is null then
        create schema extensions;
        insert into agent_memory.additions (kind, name) values ('schema', 'extensions') on conflict do nothing;
      end if;
      execute pg_catalog.format('create extension if not exists %I with schema extensions', wanted);
      insert into agent_memory.additions (kind, name) values ('extension', wanted) on conflict do nothing;
    exception
      when insufficient_privilege then
        raise warning 'extension % is available, but % may not create it; going on without it. As a superuser: CREATE SCHEMA IF NOT EXISTS extensions; CREATE EXTENSION "%" WITH SCHEMA extensions; then run the migrations again.',
          wanted, current_user, wanted;
    end;
  end loop;
end
$extensions$;

-- Types and retired functions -----------------------------------------------------------------

create or replace function agent_memory.drop_function(target regprocedure)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  dependent record;
begin
  for dependent in
    select p.polname, p.polrelid::regclass as relation
    from pg_depend as d
    join pg_policy as p on p.oid = d.objid
    where d.classid = 'pg_policy'::regclass and d.refclassid = 'pg_proc'::regclass and d.refobjid = target
  loop
    execute format('drop policy if exists %I on %s', dependent.polname, dependent.relation);
  end loop;
  execute format('drop routine %s', target);
end
$$;
comment on function agent_memory.drop_function(regprocedure) is
  'Drops a function of ours that is made anew, or retired, in the same transaction, with the policies that call it, which are made anew as well. What else depends on it stops it.';

create or replace function agent_memory.drop_type(target regtype)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  dependent record;
begin
  for dependent in
    select d.objid::regprocedure as function
    from pg_depend as d
    join pg_type as t on t.oid = d.refobjid and (t.oid = target or t.typelem = target)
    join pg_proc as p on p.oid = d.objid
    where d.classid = 'pg_proc'::regclass and d.refclassid = 'pg_type'::regclass
      and (p.pronamespace = 'agent_memory'::regnamespace
           or 'public.' || p.proname in (
             select split_part(r.name, '(', 1) from agent_memory.declared_rights() as r where r.kind = 'function'))
  loop
    -- One function may depend on it in several ways.
    if exists (select from pg_proc as p where p.oid = dependent.function) then
      perform agent_memory.drop_function(dependent.function);
    end if;
  end loop;
  for dependent in
    select distinct u.oid::regtype as composite
    from pg_depend as d
    join pg_type as t on t.oid = d.refobjid and (t.oid = target or t.typelem = target)
    join pg_class as c on c.oid = d.objid and c.relkind = 'c' and c.relnamespace = 'agent_memory'::regnamespace
    join pg_type as u on u.typrelid = c.oid and u.oid <> target
    where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_type'::regclass
  loop
    perform agent_memory.drop_type(dependent.composite);
  end loop;
  execute format('drop type %s', target);
end
$$;
comment on function agent_memory.drop_type(regtype) is
  'Drops a composite type of ours that is made anew in the same transaction, with our functions and types that use it. A column or another application''s object that uses it stops it.';

create or replace function agent_memory.define_type(name text, attributes text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  known constant regtype := to_regtype('agent_memory.' || quote_ident(name));
  is_same boolean;
begin
  execute format('create type agent_memory.%I as (%s)', case when known is null then name else name || ' as defined' end, attributes);
  if known is null then
    return;
  end if;
  select array_agg(row(a.attname, a.atttypid, a.atttypmod)::text order by a.attnum)
         = (select array_agg(row(b.attname, b.atttypid, b.atttypmod)::text order by b.attnum)
            from pg_type as u join pg_attribute as b on b.attrelid = u.typrelid and not b.attisdropped
            where u.typnamespace = 'agent_memory'::regnamespace and u.typname = define_type.name || ' as defined')
    into is_same
    from pg_type as t join pg_attribute as a on a.attrelid = t.typrelid and not a.attisdropped
    where t.oid = known;
  if is_same then
    execute format('drop type agent_memory.%I', name || ' as defined');
  else
    perform agent_memory.drop_type(known);
    execute format('alter type agent_memory.%I rename to %I', name || ' as defined', name);
  end if;
end
$$;
comment on function agent_memory.define_type(text, text) is
  'Makes a composite type of schema agent_memory, or makes it anew if its attributes have changed, which drops the functions that use it: they are to be made anew in the same transaction.';

-- Functions of earlier releases that are gone, or whose result or parameters' names have changed, by
-- their signatures. Those that are still there under the same signature are made anew further down.
do $retired$
declare
  signature text;
begin
  foreach signature in array array[]::text[] loop
    if pg_catalog.to_regprocedure(signature) is not null then
      perform agent_memory.drop_function(pg_catalog.to_regprocedure(signature));
    end if;
  end loop;
end
$retired$;
