-- The built-in weights of the named signals, in order.
SELECT array(
  SELECT (agent_memory.built_in_settings() #>> array['weights', name])::real
    FROM unnest(%(names)s::text[]) WITH ORDINALITY AS named (name, place)
   ORDER BY place)
