-- The statements that drop and make again the indexes that no constraint needs: rows are written
-- faster without them.
SELECT format('DROP INDEX %I.%I', schemaname, indexname) AS dropping, indexdef AS making
  FROM pg_indexes
 WHERE (schemaname, tablename) IN (('public', 'ai_memories'), ('agent_memory', 'embeddings'))
   AND indexname NOT IN (SELECT conname FROM pg_constraint);
