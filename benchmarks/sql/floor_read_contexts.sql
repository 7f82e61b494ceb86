COPY (
  SELECT current_setting('floor.goal')::uuid, id, agent_id, user_id, context_key, visibility
    FROM ai_memory_contexts
   WHERE organization_id = current_setting('floor.source')::uuid
) TO STDOUT (FORMAT binary);
