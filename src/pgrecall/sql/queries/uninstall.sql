-- What an uninstallation asks before. Its own statements are sql/uninstall.sql.

-- name: look_at_installation
-- By the catalogs, since to_regclass() raises an error for who may not look into the schema.
select exists (
  select from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  where n.nspname = 'agent_memory' and c.relname = 'additions') as is_here;

-- name: list_uninstall_plan
select p.kind, p.name, p.statement, p.used_by from pg_temp.uninstall_plan() as p;

-- name: count_for_uninstall
select (select count(*) from agent_memory.organizations) as organizations,
       (select count(*) from public.ai_memories) as memories;

-- name: list_organizations_to_keep
select o.organization_id, o.name from agent_memory.organizations as o order by o.name, o.organization_id;
