-- The rows of the `ts_rank` baseline; gone with the connection.
CREATE TEMPORARY TABLE IF NOT EXISTS benchmark_texts (
  organization text NOT NULL,
  id           text NOT NULL,
  ordinal      int NOT NULL,
  content      text NOT NULL,
  tsv          tsvector NOT NULL,
  PRIMARY KEY (organization, id)
);
