-- The login of a service: a role that can act for callers and has no right of its own. Statements
-- about roles take no parameters, so they are composed by the server first.

-- name: compose_login
-- What is still to be done until the role is as it should be; asked again when it is done. An
-- attribute is named only where it is wrong, since naming it may already take a superuser. Whether a
-- membership is inherited is its own property since 16 (to_jsonb() leaves it out before).
with login as (
  select r.* from pg_catalog.pg_roles as r where r.rolname = %(role)s
),
attributes as (
  select string_agg(wrong.cure, ' ') as cure
  from login as l cross join lateral (values
    (not l.rolcanlogin, 'LOGIN'), (l.rolinherit, 'NOINHERIT'), (l.rolsuper, 'NOSUPERUSER'), (l.rolbypassrls, 'NOBYPASSRLS'),
    (l.rolcreaterole, 'NOCREATEROLE'), (l.rolcreatedb, 'NOCREATEDB'), (l.rolreplication, 'NOREPLICATION')
  ) as wrong (is_wrong, cure)
  where wrong.is_wrong
),
memberships as (
  select coalesce(bool_or((to_jsonb(m) ->> 'set_option')::boolean is not false), false) as is_member, bool_or(m.admin_option) as is_admin,
         bool_or((to_jsonb(m) ->> 'inherit_option')::boolean) as is_inherited
  from login as l
  join pg_catalog.pg_auth_members as m on m.member = l.oid and m.roleid = 'authenticated'::regrole
)
select format('CREATE ROLE %%I LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION;', %(role)s::text) as composed
where not exists (select from login)
union all
select format('ALTER ROLE %%I %%s;', l.rolname, a.cure) from login as l join attributes as a on a.cure is not null
union all
select format('REVOKE ADMIN OPTION FOR authenticated FROM %%I;', l.rolname) from login as l join memberships as m on m.is_admin
union all
select format('GRANT authenticated TO %%I%%s;', l.rolname,
              case when current_setting('server_version_num')::integer >= 160000 then ' WITH INHERIT FALSE, SET TRUE' end)
from login as l join memberships as m on not m.is_member or m.is_inherited
union all
select format('GRANT CONNECT ON DATABASE %%I TO %%I;', current_database(), l.rolname)
from login as l where not has_database_privilege(l.oid, current_database(), 'CONNECT');

-- name: list_login_obstacles
-- What the role has that it should not, and what takes it away: other memberships, possessions in
-- this database, rights of its own on pgrecall's tables.
select found.what, found.cure
from pg_catalog.pg_roles as l
cross join lateral (
  select 1 as place, 'is a member of ' || quote_ident(pg_get_userbyid(m.roleid)) as what,
         format('REVOKE %%I FROM %%I;', pg_get_userbyid(m.roleid), l.rolname) as cure
  from pg_catalog.pg_auth_members as m
  where m.member = l.oid and m.roleid <> 'authenticated'::regrole
  union all
  select 2, 'owns ' || pg_describe_object(d.classid, d.objid, d.objsubid), format('REASSIGN OWNED BY %%I TO %%I;', l.rolname, current_user)
  from pg_catalog.pg_shdepend as d
  join pg_catalog.pg_database as b on b.oid = d.dbid and b.datname = current_database()
  where d.refclassid = 'pg_catalog.pg_authid'::regclass and d.refobjid = l.oid and d.deptype = 'o'
  union all
  select 3, format('has rights of its own on table %%I.%%I', n.nspname, c.relname),
         format('REVOKE ALL ON TABLE %%I.%%I FROM %%I;', n.nspname, c.relname, l.rolname)
  from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  where n.nspname || '.' || c.relname = any (%(tables)s::text[])
    and exists (select from aclexplode(c.relacl) as g where g.grantee = l.oid)
) as found
where l.rolname = %(role)s
order by found.place, found.what
limit 5;

-- name: has_role
select exists (select from pg_catalog.pg_roles as r where r.rolname = %(role)s) as has_role;

-- name: compose_login_password
select format('ALTER ROLE %%I PASSWORD %%L;', %(role)s::text, %(verifier)s::text) as composed;

-- name: may_record_login
-- By the catalogs, since to_regclass() raises an error for who may not look into the schema.
select coalesce((
  select has_schema_privilege(n.oid, 'USAGE') and has_table_privilege(c.oid, 'INSERT')
  from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  where n.nspname = 'agent_memory' and c.relname = 'additions'), false) as may_record;

-- name: record_login
-- So that uninstalling takes it away.
insert into agent_memory.additions (kind, name) values ('role', %(role)s) on conflict do nothing;
