-- For operators: on the connection of the schema's owner, who needs no membership.

-- name: erase_everywhere
select agent_memory.erase(
  row(o.organization_id, 'operator', 'owner', null, null, null)::agent_memory.principal,
  %(scope)s::jsonb, true, %(dry_run)s) as answer
from public.organizations as o
where o.organization_id = %(organization_id)s;
