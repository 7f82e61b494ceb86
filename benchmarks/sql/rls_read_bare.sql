SELECT id, content, kind, user_id, agent_id, metadata, occurred_at
  FROM ai_memories
 WHERE organization_id = %(organization_id)s AND id = %(id)s;
