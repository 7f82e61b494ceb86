-- What the benchmark wrote anew, with its conversations: the next run on this server begins as this one did.
DELETE FROM ai_memory_contexts WHERE organization_id = %(organization_id)s AND context_key LIKE 'new %%';
