-- Of what memories and vectors take, in megabytes: tables with what is out of line, and indexes.
SELECT relname, (pg_relation_size(oid) + coalesce(pg_relation_size(nullif(reltoastrelid, 0)), 0))::float8 / 1048576
  FROM pg_class
 WHERE oid IN ('ai_memories'::regclass, 'agent_memory.embeddings'::regclass)
    OR (relname IN (SELECT indexname FROM pg_indexes
                     WHERE tablename IN ('ai_memories', 'agent_memory.embeddings'))
        AND pg_relation_size(oid) > 65536);
