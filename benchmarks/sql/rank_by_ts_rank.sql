-- Full text as PostgreSQL's manual shows it, with OR between the question's lexemes: with AND,
-- as plainto_tsquery does it, most questions find nothing.
WITH asked AS (
  SELECT string_agg(quote_literal(lexeme), ' | ')::tsquery AS query
    FROM unnest(to_tsvector('english', %(question)s))
)
SELECT id
  FROM benchmark_texts, asked
 WHERE organization = %(organization)s
   AND tsv @@ query
 ORDER BY ts_rank(tsv, query) DESC, ordinal
 LIMIT %(limit)s;
