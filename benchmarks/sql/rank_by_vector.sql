-- Exact cosine within one organization.
SELECT id, content, said_at, 1 - (embedding <=> %(vector)s::halfvec) AS similarity
  FROM benchmark_vectors
 WHERE organization = %(organization)s
 ORDER BY embedding <=> %(vector)s::halfvec
 LIMIT %(limit)s;
