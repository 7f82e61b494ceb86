-- What a benchmark wrote anew, with its conversations: what is measured next begins as this did.
DELETE FROM ai_memory_contexts WHERE organization_id = %(organization_id)s AND context_key LIKE %(keys)s;
