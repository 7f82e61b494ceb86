-- What pgrecall.testing does to databases. Statements about databases take no parameters, so they
-- are composed by the server first.

-- name: compose_create_database
select format('create database %%I template %%I', %(name)s::text, %(template)s::text) as composed;

-- name: compose_drop_database
select format('drop database if exists %%I with (force)', %(name)s::text) as composed;

-- name: compose_set_clock
select format('alter database %%I set pgrecall.now = %%L', current_database(), %(now)s::text) as composed;

-- name: compose_create_test_role
-- Members of this role, and superusers, may pretend the time.
select 'create role pgrecall_test nologin' as composed
where not exists (select from pg_catalog.pg_roles where rolname = 'pgrecall_test');

-- name: disconnect_others
select count(pg_terminate_backend(pid)) as ended
from pg_catalog.pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend';

-- name: add_member
insert into agent_memory.members as m (organization_id, user_id, role)
values (%(organization_id)s, %(user_id)s, %(role)s);

-- name: compose_unsafe_settings
-- For a server that is thrown away: what it has written need not survive a crash.
select format('alter system set %%I = off', s.name) as composed
from unnest(array['fsync', 'full_page_writes', 'synchronous_commit']) as s (name);
