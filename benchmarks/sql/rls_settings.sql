-- The wait for the disk at a commit is the same on both sides, and longer than what is compared.
SELECT set_config('synchronous_commit', 'off', false);
