-- Standing in for agent_memory.exact_limit(): another number, in place of 0, and all else the same.
CREATE OR REPLACE FUNCTION agent_memory.exact_limit()
RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT 0 $$;
