-- The rows of the vector-only query that recall is timed beside; gone with the connection.
CREATE TEMPORARY TABLE IF NOT EXISTS benchmark_vectors (
  organization text NOT NULL,
  id           text NOT NULL,
  content      text NOT NULL,
  said_at      timestamptz NOT NULL,
  embedding    halfvec NOT NULL,
  PRIMARY KEY (organization, id)
);
