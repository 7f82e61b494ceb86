-- Autovacuum does not see temporary tables.
ANALYZE benchmark_vectors;
