COPY (
  SELECT current_setting('floor.goal')::uuid, id, agent_id, user_id, context_id, kind, content, speaker,
         language, importance, confidence, trust, visibility, metadata, occurred_at, valid_from,
         created_at, updated_at, dedup_key, window_lexemes
    FROM ai_memories
   WHERE organization_id = current_setting('floor.source')::uuid
   ORDER BY id
) TO STDOUT (FORMAT binary);
