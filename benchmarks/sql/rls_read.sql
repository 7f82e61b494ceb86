SELECT id, content, kind, user_id, agent_id, metadata, occurred_at FROM ai_memories WHERE id = %(id)s;
