INSERT INTO texts (scope, id, content, vector) VALUES (%s, %s, %s, %s::text::halfvec);
