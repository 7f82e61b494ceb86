-- Every fifth memory was changed once.
INSERT INTO agent_memory.history (
  organization_id, memory_id, agent_id, user_id, visibility, change, changed_at, changed_by, before, after)
SELECT organization_id, id, agent_id, user_id, visibility, 'updated', created_at + interval '1 hour',
       'agent:' || agent_id, '{"importance": 0.5}', jsonb_build_object('importance', importance)
  FROM ai_memories
 WHERE mod(hashtext(id::text), 5) = 0;
