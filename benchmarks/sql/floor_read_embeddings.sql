COPY (
  SELECT current_setting('floor.goal')::uuid, memory_id, model, embedding, is_indexed, created_at
    FROM agent_memory.embeddings
   WHERE organization_id = current_setting('floor.source')::uuid
   ORDER BY memory_id
) TO STDOUT (FORMAT binary);
