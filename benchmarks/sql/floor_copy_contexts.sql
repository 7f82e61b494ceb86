COPY ai_memory_contexts (organization_id, id, agent_id, user_id, context_key, visibility) FROM STDIN (FORMAT binary);
