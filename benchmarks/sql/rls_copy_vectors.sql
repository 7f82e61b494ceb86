COPY ai_memory_embeddings (organization_id, memory_id, model, embedding, is_indexed) FROM STDIN (FORMAT binary);
