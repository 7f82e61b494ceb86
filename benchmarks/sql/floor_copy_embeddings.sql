COPY agent_memory.embeddings (organization_id, memory_id, model, embedding, is_indexed, created_at) FROM STDIN (FORMAT binary);
