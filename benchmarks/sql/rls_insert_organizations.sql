INSERT INTO agent_memory.organizations (organization_id, name)
SELECT id, 'benchmark ' || id FROM unnest(%(ids)s::uuid[]) AS id;
