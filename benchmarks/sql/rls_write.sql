SELECT ordinal, id, status, reason FROM remember_memories(%(memories)s::jsonb);
