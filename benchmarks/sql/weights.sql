-- The built-in weights of the named signals, in order.
SELECT array(
  SELECT (to_jsonb(agent_memory.recall_weights()) ->> name)::real
    FROM unnest(%(names)s::text[]) WITH ORDINALITY AS named (name, place)
   ORDER BY place)
