-- The same row by a plain insert: the same columns, so the same indexes and checks of the table.
INSERT INTO ai_memories (
  organization_id, agent_id, user_id, kind, content, language, importance, confidence, trust, visibility,
  metadata, occurred_at, valid_from, created_at, updated_at, dedup_key)
VALUES (
  %(organization_id)s, %(agent_id)s, NULL, 'fact', %(content)s::text, 'english', 0.5, 1, 'user', 'agent',
  '{}', now(), now(), now(), now(), sha256(convert_to(%(content)s::text, 'UTF8')))
ON CONFLICT DO NOTHING
RETURNING id, 'added' AS status;
