-- As remember_memories would write them: conversations of messages, with the words of the three
-- messages before each, and facts, preferences and events that stand alone.
WITH placed AS (
  SELECT *, ordinal %% 10 < 6 AS is_message, ordinal / %(conversation)s AS conversation,
         first_value(id) OVER (whole ORDER BY ordinal) AS context_id,
         string_agg(content, ' ') OVER (whole ORDER BY ordinal ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING)
           AS before
    FROM source
  WINDOW whole AS (PARTITION BY organization, ordinal / %(conversation)s, ordinal %% 10 < 6)
)
INSERT INTO ai_memories (
  organization_id, id, agent_id, user_id, context_id, kind, content, importance, trust, visibility,
  metadata, occurred_at, valid_from, created_at, updated_at, dedup_key, window_lexemes)
SELECT (%(ids)s::uuid[])[organization + 1], id, %(agent_id)s, 'u' || conversation %% 500,
       CASE WHEN is_message THEN context_id END,
       CASE WHEN is_message THEN 'message'
            ELSE (ARRAY['fact', 'preference', 'event', 'fact'])[ordinal %% 4 + 1] END,
       content, (0.3 + 0.4 * random())::real,
       CASE WHEN is_message AND ordinal %% 2 = 1 THEN 'assistant' ELSE 'user' END,
       CASE WHEN is_message THEN 'agent' ELSE 'private' END,
       jsonb_build_object('project', 'p' || ordinal %% 50),
       at, at, at, at, sha256(convert_to(content || id, 'UTF8')),
       CASE WHEN is_message THEN setweight(to_tsvector('english', before), 'C') END
  FROM placed,
       LATERAL (SELECT now() - interval '3 years' * (1 - ordinal::float8 / %(memories)s)) AS time (at);
