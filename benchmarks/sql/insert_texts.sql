INSERT INTO benchmark_texts (organization, id, ordinal, content, tsv)
SELECT %(organization)s, id, ordinal, content, to_tsvector('english', content)
  FROM unnest(%(ids)s::text[], %(contents)s::text[]) WITH ORDINALITY AS row (id, content, ordinal);
