-- pgrecall: settings of each agent within an organization.
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

select agent_memory.policy('public.agent_memory_config', 'members', 'nobody');

-- What comes next on this connection, which a pooler may give to somebody else, has its own path.
reset search_path;
