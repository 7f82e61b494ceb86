SELECT scope || ' ' || id, content FROM texts WHERE scope = %s ORDER BY (vector <=> %s::text::halfvec) + 0 LIMIT %s;
