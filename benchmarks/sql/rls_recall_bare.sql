-- What recall_memories does for a scope that is compared one by one, by the owner: no claims, no
-- membership, no visibility, and the organization named by the statement.
WITH scope AS MATERIALIZED (
  SELECT array_agg(id) AS ids
    FROM ai_memories
   WHERE organization_id = %(organization_id)s
     AND forgotten_at IS NULL
     AND valid_from <= now() AND (valid_to IS NULL OR valid_to > now())
     AND (expires_at IS NULL OR expires_at > now())
), asked AS MATERIALIZED (
  SELECT array_agg(term) AS terms FROM agent_memory.query_terms(%(query)s, ARRAY['english'])
), best AS (
  SELECT scored.*
    FROM scope, asked, agent_memory.score_memories(
           %(organization_id)s, scope.ids, asked.terms, NULL, %(query_embedding)s::real[], %(model)s,
           agent_memory.query_cues(%(query)s, now(), %(organization_id)s, scope.ids), now(), agent_memory.built_in_settings(),
           NULL, true, 10, 0, false) AS scored
)
SELECT m.id, m.content, m.kind, m.user_id, m.agent_id, c.context_key, m.metadata, m.trust, m.occurred_at,
       m.valid_from, m.valid_to, m.created_at, b.score, b.semantic, b.lexical, b.recency, b.importance
  FROM best AS b
  JOIN ai_memories AS m ON m.organization_id = %(organization_id)s AND m.id = b.id
  LEFT JOIN ai_memory_contexts AS c ON c.organization_id = %(organization_id)s AND c.id = m.context_id
 ORDER BY b.score DESC, m.id DESC;
