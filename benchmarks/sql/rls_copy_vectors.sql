COPY agent_memory.embeddings (organization_id, memory_id, model, embedding, is_indexed) FROM STDIN (FORMAT binary);
