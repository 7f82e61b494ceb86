-- What autovacuum would do soon after so many rows.
VACUUM ANALYZE;
