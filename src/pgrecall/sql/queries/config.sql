-- Settings of agents. Without an agent: those that hold for all agents of the organization.

-- name: configure_agent
select public.configure_agent(%(agent_id)s, %(changes)s::jsonb) as settings;

-- name: agent_config
select setting as name, value, source, built_in
from public.agent_config(%(agent_id)s)
order by setting;

-- name: agent_config_history
select agent_id, changed_at, changed_by, before, after
from public.agent_config_history(%(agent_id)s);
