-- What the client asks the database for. Writing goes through functions; reading by id and in
-- pages goes to the tables under Row Level Security.

-- name: remember_memories
select ordinal, id, status, code, reason
from public.remember_memories(%(memories)s::jsonb);

-- name: append_messages
select ordinal, id, status, code, reason
from public.append_memories(%(memories)s::jsonb);

-- name: recall_memories
select id, content, kind, user_id, agent_id, context_key, metadata, trust, occurred_at, valid_from,
       valid_to, created_at, score, semantic, lexical, recency, importance
from public.recall_memories(
  query => %(query)s,
  query_embedding => %(query_embedding)s::real[],
  embedding_model => %(embedding_model)s,
  agent_id => %(agent_id)s,
  user_id => %(user_id)s,
  context_key => %(context_key)s,
  kinds => %(kinds)s::text[],
  metadata => %(metadata)s::jsonb,
  since => %(since)s,
  until => %(until)s,
  as_of => %(as_of)s,
  match_limit => %(match_limit)s,
  min_score => %(min_score)s::real);

-- name: recall_in_context
select (r.hit).*, r.speaker, r.before, r.after
from public.recall_in_context(
  query => %(query)s,
  query_embedding => %(query_embedding)s::real[],
  embedding_model => %(embedding_model)s,
  agent_id => %(agent_id)s,
  user_id => %(user_id)s,
  context_key => %(context_key)s,
  kinds => %(kinds)s::text[],
  metadata => %(metadata)s::jsonb,
  since => %(since)s,
  until => %(until)s,
  as_of => %(as_of)s,
  match_limit => %(match_limit)s,
  min_score => %(min_score)s::real) as r;

-- name: explain_memories
select id, score, signals
from public.explain_memories(
  query => %(query)s,
  query_embedding => %(query_embedding)s::real[],
  embedding_model => %(embedding_model)s,
  agent_id => %(agent_id)s,
  user_id => %(user_id)s,
  context_key => %(context_key)s,
  kinds => %(kinds)s::text[],
  metadata => %(metadata)s::jsonb,
  since => %(since)s,
  until => %(until)s,
  as_of => %(as_of)s,
  match_limit => %(match_limit)s,
  min_score => %(min_score)s::real);

-- name: last_recall
select nullif(current_setting('pgrecall.last_recall', true), '')::jsonb as said;

-- name: get_memory
select m.id, m.agent_id, m.user_id, c.context_key, m.kind, m.content, m.speaker, m.slot,
       m.importance, m.confidence, m.trust, m.visibility, m.metadata, m.occurred_at, m.valid_from,
       m.valid_to, m.superseded_by, m.expires_at, m.forgotten_at, m.created_at, m.updated_at
from public.ai_memories as m
left join public.ai_memory_contexts as c
  on c.organization_id = m.organization_id and c.id = m.context_id
where m.id = %(memory_id)s;

-- name: list_memories
select m.id, m.agent_id, m.user_id, c.context_key, m.kind, m.content, m.speaker, m.slot,
       m.importance, m.confidence, m.trust, m.visibility, m.metadata, m.occurred_at, m.valid_from,
       m.valid_to, m.superseded_by, m.expires_at, m.forgotten_at, m.created_at, m.updated_at
from public.ai_memories as m
left join public.ai_memory_contexts as c
  on c.organization_id = m.organization_id and c.id = m.context_id
where (%(after)s::uuid is null or m.id < %(after)s::uuid)
  and (%(user_id)s::text is null or m.user_id = %(user_id)s::text)
  and (%(context_key)s::text is null or c.context_key = %(context_key)s::text)
  and (%(kinds)s::text[] is null or m.kind = any (%(kinds)s::text[]))
  and (%(include_forgotten)s or m.forgotten_at is null)
  and (%(include_superseded)s or m.valid_to is null or m.valid_to > now() or m.slot is null)
order by m.id desc
limit %(row_limit)s;

-- name: update_memory
select public.update_memory(%(memory_id)s, %(changes)s::jsonb) as id;

-- name: forget_memories
select public.forget_memories(%(scope)s::jsonb, %(dry_run)s) as answer;

-- name: restore_memories
select public.restore_memories(%(scope)s::jsonb, %(dry_run)s) as answer;

-- name: erase_memories
select public.erase_memories(%(scope)s::jsonb, %(dry_run)s) as answer;

-- name: memory_history
select memory_id, change, changed_at, changed_by, content, before, after
from public.memory_history(%(memory_id)s);
