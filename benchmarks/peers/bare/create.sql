-- No index but the key's: neither writes nor exact searches of a conversation can cost less.
CREATE EXTENSION IF NOT EXISTS vector;
CREATE TABLE texts (
  scope   text NOT NULL,
  id      text NOT NULL,
  content text NOT NULL,
  vector  halfvec NOT NULL,
  PRIMARY KEY (scope, id)
);
