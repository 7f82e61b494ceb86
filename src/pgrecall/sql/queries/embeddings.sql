-- The embedding models of an agent: filling another one in, switching to it, dropping one.

-- name: memory_models
select agent_id, model, dimension, state, memories, vectors, missing, changed_at
from public.memory_models(%(agent_id)s);

-- name: add_memory_model
select public.add_memory_model(%(model)s, %(dimension)s, %(agent_id)s) as answer;

-- name: missing_memory_embeddings
select id, text, digest
from public.missing_memory_embeddings(%(model)s, %(agent_id)s, %(after)s, %(match_limit)s);

-- name: store_memory_embeddings
select ordinal, id, status, code, reason
from public.store_memory_embeddings(%(model)s, %(embeddings)s::jsonb, %(agent_id)s);

-- name: switch_memory_model
select public.switch_memory_model(%(model)s, %(agent_id)s, %(allow_missing)s) as answer;

-- name: drop_memory_model
select public.drop_memory_model(%(model)s, %(agent_id)s) as answer;
