-- Settings of agents. Without an agent: those that hold for all agents of the organization.

-- name: configure_memory
select public.configure_memory(%(agent_id)s, %(changes)s::jsonb) as settings;

-- name: agent_config
select setting as name, value, source, built_in
from public.memory_config(%(agent_id)s)
order by setting;

-- name: memory_config_history
select agent_id, changed_at, changed_by, before, after
from public.memory_config_history(%(agent_id)s);
