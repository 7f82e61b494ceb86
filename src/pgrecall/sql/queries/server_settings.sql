-- A server's own settings: read, and changed by statements that the server composes, since they
-- take no parameters.

-- name: identify_server
-- Who answers, and what the connecting role may do. Providers are told by the roles that only they
-- have.
select pg_catalog.current_setting('server_version_num')::integer as version,
       pg_catalog.current_database()::text as database,
       r.rolsuper as is_superuser,
       pg_catalog.pg_has_role(d.datdba, 'USAGE') as owns_database,
       array(select p.rolname::text from pg_catalog.pg_roles as p
             where p.rolname = any (array['supabase_admin', 'rds_superuser', 'cloudsqlsuperuser', 'azure_pg_admin'])
             order by p.rolname) as provider_roles,
       pg_catalog.inet_server_addr() is null as is_local
from pg_catalog.pg_roles as r
join pg_catalog.pg_database as d on d.datname = pg_catalog.current_database()
where r.rolname = current_user;

-- name: list_server_settings
-- As the server has them, with units; what only some roles may read is left out.
select s.name, s.setting, coalesce(s.unit, '') as unit, s.context, s.source, s.pending_restart
from pg_catalog.pg_settings as s
where s.name = any (%(names)s::text[])
order by s.name;

-- name: compose_alter_system
select pg_catalog.format('ALTER SYSTEM SET %%s = %%L;', given.name, given.value) as composed
from unnest(%(names)s::text[], %(values)s::text[]) with ordinality as given (name, value, place)
order by given.place;

-- name: compose_reset_system
select pg_catalog.format('ALTER SYSTEM RESET %%s;', given.name) as composed
from unnest(%(names)s::text[]) with ordinality as given (name, place)
order by given.place;

-- name: reload_settings
select pg_catalog.pg_reload_conf() as is_reloaded;
