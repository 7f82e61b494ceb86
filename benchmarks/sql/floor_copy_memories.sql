COPY ai_memories (
  organization_id, id, agent_id, user_id, context_id, kind, content, speaker,
  language, importance, confidence, trust, visibility, metadata, occurred_at, valid_from,
  created_at, updated_at, dedup_key, window_lexemes
) FROM STDIN (FORMAT binary);
