COPY source (organization, ordinal, id, content) FROM STDIN;
