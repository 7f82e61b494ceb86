INSERT INTO agent_memory_config (organization_id, agent_id, embedding_model, embedding_dimension)
SELECT id, %(agent_id)s, %(model)s, %(dimension)s FROM unnest(%(ids)s::uuid[]) AS id;
