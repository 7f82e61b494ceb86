-- Each signal of each memory of an organization for one question, as score_memories() scales it: its
-- score where nothing else counts. In the order of `names`; one that does not run is 0.
WITH scope AS MATERIALIZED (
  SELECT array_agg(id) AS ids, count(*)::integer AS memories
    FROM ai_memories
   WHERE organization_id = %(organization_id)s
), asked AS MATERIALIZED (
  SELECT scope.*, array(SELECT term FROM agent_memory.query_terms(%(query)s, agent_memory.languages(%(organization_id)s))) AS terms,
         agent_memory.query_cues(%(query)s, %(asked_at)s, %(organization_id)s, scope.ids) AS cues
    FROM scope
), signals AS MATERIALIZED (
  SELECT named.name, named.place, agent_memory.built_in_settings() || jsonb_build_object('weights',
           (SELECT jsonb_object_agg(other, (other = named.name)::integer) FROM unnest(%(names)s::text[]) AS other)
         ) AS settings
    FROM unnest(%(names)s::text[]) WITH ORDINALITY AS named (name, place)
)
SELECT scored.id, array_agg(scored.score ORDER BY signals.place) AS values
  FROM asked, signals, agent_memory.score_memories(
         %(organization_id)s, asked.ids, asked.terms, NULL, %(query_embedding)s::real[], %(model)s,
         asked.cues, %(asked_at)s, signals.settings, NULL, true, asked.memories, 0, false) AS scored
 GROUP BY scored.id
