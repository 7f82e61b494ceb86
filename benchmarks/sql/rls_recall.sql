SELECT id, content, kind, user_id, agent_id, context_key, metadata, trust, occurred_at,
       valid_from, valid_to, created_at, score, semantic, lexical, recency, importance
  FROM recall_memories(%(query)s, %(query_embedding)s::real[], %(model)s);
