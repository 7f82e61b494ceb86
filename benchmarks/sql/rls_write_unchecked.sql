-- The steps of remember_memories for an item without slot, context and vector, by the owner: the
-- organization and the writer are named by the statement, and no claim is read, no membership
-- looked up.
WITH drafts AS MATERIALIZED (
  SELECT agent_memory.drafts(
    ROW(%(organization_id)s::uuid, 'agent:' || %(agent_id)s::text, 'agent', NULL, %(agent_id)s::text, NULL, %(organization_id)s::uuid)::agent_memory.principal,
    %(memories)s::jsonb, true) AS items
)
SELECT d.ordinal, added AS id, 'added' AS status, d.reason
  FROM drafts, agent_memory.add_memories(%(organization_id)s, drafts.items) AS added,
       unnest(drafts.items) AS d
 WHERE d.id = added;
