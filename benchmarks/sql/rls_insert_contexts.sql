INSERT INTO ai_memory_contexts (organization_id, id, agent_id, user_id, context_key)
SELECT (%(ids)s::uuid[])[organization + 1], (array_agg(id ORDER BY ordinal))[1], %(agent_id)s,
       'u' || ordinal / %(conversation)s %% 500, 'conversation ' || ordinal / %(conversation)s
  FROM source
 GROUP BY organization, ordinal / %(conversation)s;
