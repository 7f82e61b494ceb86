-- What the memories are made of; gone with the connection.
CREATE TEMPORARY TABLE source (
  organization int NOT NULL,
  ordinal      int NOT NULL,
  id           uuid NOT NULL,
  content      text NOT NULL
);
