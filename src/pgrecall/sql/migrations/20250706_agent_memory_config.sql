-- pgrecall: settings of each agent within an organization.
--
-- What an agent has not set holds as its organization has set it for all of its agents, and what
-- that has not set either, as it is built in. Reading them stands here, since remembering and
-- recall do; changing them, in 20261108_agent_settings.sql.
--
-- The embedding model is settled by the first vector that an agent stores; a vector of another
-- model or dimension is refused from then on, since the two can't be compared.

-- Names below resolve to what they say, whatever the session's path was.
set search_path = pg_catalog, pg_temp;

create table if not exists public.agent_memory_config (
  organization_id uuid not null references public.organizations on delete cascade,
  agent_id text not null check (char_length(agent_id) between 1 and 255),
  embedding_model text check (char_length(embedding_model) between 1 and 255),
  embedding_dimension integer check (embedding_dimension between 1 and 16000),
  languages text[] not null default '{}' check (cardinality(languages) <= 100),
  created_at timestamptz not null default agent_memory.now(),
  updated_at timestamptz not null default agent_memory.now(),
  primary key (organization_id, agent_id),
  constraint agent_memory_config_model_has_dimension
    check ((embedding_model is null) = (embedding_dimension is null))
);
comment on table public.agent_memory_config is 'Settings per agent; written by functions, read by the members of the organization.';
comment on column public.agent_memory_config.embedding_model is 'The model of every vector that this agent stores.';
comment on column public.agent_memory_config.languages is 'The languages other than English of the memories that this agent has stored, in which a question is asked too.';
comment on column public.agent_memory_config.embedding_dimension is 'The number of elements of those vectors.';

alter table public.agent_memory_config add column if not exists settings jsonb not null default '{}';
alter table public.organizations add column if not exists agent_settings jsonb not null default '{}';
comment on column public.agent_memory_config.settings is 'What this agent sets itself, changed by configure_agent().';
comment on column public.organizations.agent_settings is 'What holds for all agents that don''t set it themselves, changed by configure_agent() with no agent.';

select agent_memory.policy('public.agent_memory_config', 'members', 'nobody');

-- Reading settings ----------------------------------------------------------------------------

create or replace function agent_memory.merge_patch(target jsonb, patch jsonb)
returns jsonb
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  base jsonb := case when jsonb_typeof(target) = 'object' then target else '{}' end;
begin
  if jsonb_typeof(patch) is distinct from 'object' then
    return patch;
  end if;
  return base - array(select jsonb_object_keys(patch)) || (
    select coalesce(jsonb_object_agg(merged.key, merged.value), '{}')
    from (select p.key, agent_memory.merge_patch(base -> p.key, p.value) as value from jsonb_each(patch) as p) as merged
    where merged.value not in ('null', '{}'));
end
$$;
comment on function agent_memory.merge_patch(jsonb, jsonb) is
  'A document changed by a merge patch (RFC 7396): objects are merged, null removes, all else replaces. An object that holds nothing is left out.';

create or replace function agent_memory.built_in_settings()
returns jsonb
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$ select '{"limit": 10, "token_budget": 1200}'::jsonb $$;
comment on function agent_memory.built_in_settings() is
  'What holds where nothing is set; weights and half-life stand in recall_weights().';

create or replace function agent_memory.effective_settings(organization_id uuid, agent_id text)
returns jsonb
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  found record;
begin
  select o.agent_settings as of_all, coalesce(c.settings, '{}') as of_agent into found
    from public.organizations as o
    left join public.agent_memory_config as c
      on c.organization_id = effective_settings.organization_id and c.agent_id = effective_settings.agent_id
    where o.organization_id = effective_settings.organization_id;
  return agent_memory.built_in_settings() || case
    when found.of_agent = '{}' then found.of_all
    when found.of_all = '{}' then found.of_agent
    else agent_memory.merge_patch(found.of_all, found.of_agent) end;
end
$$;
comment on function agent_memory.effective_settings(uuid, text) is
  'The settings that an agent works by: its own, else its organization''s, else those built in; without an agent, the organization''s. Of weights and half-life, those that are set alone.';

select agent_memory.expose(function::regprocedure, variadic callers)
from (values
  ('agent_memory.merge_patch(jsonb, jsonb)', '{}'::text[]),
  ('agent_memory.built_in_settings()', '{}'),
  ('agent_memory.effective_settings(uuid, text)', '{}')
) as grants (function, callers);

-- What comes next on this connection, which a pooler may give to somebody else, has its own path.
reset search_path;
