INSERT INTO benchmark_vectors (organization, id, content, said_at, embedding)
SELECT %(organization)s, id, content, said_at, embedding::halfvec
  FROM unnest(%(ids)s::text[], %(contents)s::text[], %(times)s::timestamptz[], %(vectors)s::text[])
    AS row (id, content, said_at, embedding);
