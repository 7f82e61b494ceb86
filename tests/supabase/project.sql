-- What a database of Supabase has before anybody uses it, as far as pgrecall meets it. Run by a
-- superuser in an empty database; may be run again in others of the same server.

-- Roles are the server's. Supabase's `postgres` is called supabase_postgres_like here, since a
-- server for tests has a superuser of that name.
do $roles$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('anon', 'nologin'),
      ('authenticated', 'nologin'),
      ('service_role', 'nologin bypassrls'),
      ('authenticator', 'login noinherit'),
      ('supabase_admin', 'nologin'),
      ('supabase_auth_admin', 'nologin noinherit'),
      ('supabase_postgres_like', 'login nosuperuser createdb createrole replication bypassrls')
    ) as roles (name, attributes)
  loop
    if not exists (select from pg_roles where rolname = wanted.name) then
      execute format('create role %I %s', wanted.name, wanted.attributes);
    end if;
  end loop;
  execute format('alter database %I owner to supabase_postgres_like', current_database());
end
$roles$;
grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role to supabase_postgres_like with admin option;

-- It acts for the API under these limits.
do $settings$
begin
  execute format('alter role supabase_postgres_like in database %I set search_path = "$user", public, extensions', current_database());
  execute format('alter role authenticated in database %I set statement_timeout = ''8s''', current_database());
  execute format('alter role anon in database %I set statement_timeout = ''3s''', current_database());
end
$settings$;

-- Schemas and extensions.
grant all on schema public to supabase_postgres_like;
grant usage on schema public to anon, authenticated, service_role;
create schema extensions;
grant all on schema extensions to supabase_postgres_like;
grant usage on schema extensions to anon, authenticated, service_role;
do $extensions$
declare
  wanted text;
begin
  for wanted in
    select name from pg_available_extensions where name in ('uuid-ossp', 'pgcrypto')
  loop
    execute format('create extension if not exists %I with schema extensions', wanted);
  end loop;
end
$extensions$;

-- Supabase Auth.
create schema auth authorization supabase_auth_admin;
grant usage on schema auth to anon, authenticated, service_role, supabase_postgres_like;
create table auth.users (
  id uuid primary key,
  email text unique,
  raw_app_meta_data jsonb,
  raw_user_meta_data jsonb
);
alter table auth.users owner to supabase_auth_admin;
grant all on auth.users to supabase_postgres_like;
alter table auth.users enable row level security;
create function auth.jwt() returns jsonb language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim', true), ''),
    nullif(current_setting('request.jwt.claims', true), ''))::jsonb
$$;
create function auth.uid() returns uuid language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.sub', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
$$;
