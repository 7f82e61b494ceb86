-- Without the triggers of foreign keys, and with room for building indexes.
SELECT set_config('session_replication_role', 'replica', false),
       set_config('maintenance_work_mem', %(memory)s, false),
       set_config('synchronous_commit', 'off', false);
