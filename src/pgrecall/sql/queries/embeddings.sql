-- The embedding models of an agent: filling another one in, switching to it, dropping one.

-- name: embedding_status
select agent_id, model, dimension, state, memories, vectors, missing, changed_at
from public.embedding_status(%(agent_id)s);

-- name: add_embedding_model
select public.add_embedding_model(%(model)s, %(dimension)s, %(agent_id)s) as answer;

-- name: missing_embeddings
select id, text, digest
from public.missing_embeddings(%(model)s, %(agent_id)s, %(after)s, %(match_limit)s);

-- name: store_missing_embeddings
select ordinal, id, status, reason
from public.store_missing_embeddings(%(model)s, %(embeddings)s::jsonb, %(agent_id)s);

-- name: switch_embedding_model
select public.switch_embedding_model(%(model)s, %(agent_id)s, %(allow_missing)s) as answer;

-- name: drop_embedding_model
select public.drop_embedding_model(%(model)s, %(agent_id)s) as answer;
