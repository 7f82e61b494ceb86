-- Whether pgvector, with halfvec, is there and on the search path.
SELECT to_regtype('halfvec') IS NOT NULL;
