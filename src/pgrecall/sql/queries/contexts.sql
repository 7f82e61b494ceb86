-- Conversations.

-- name: list_messages
-- The last messages of a conversation, newest first.
select m.id, m.metadata ->> 'role' as role, m.content, m.speaker as name, m.occurred_at as created_at,
       m.metadata
from public.ai_memory_contexts as c
join public.ai_memories as m on m.organization_id = c.organization_id and m.context_id = c.id
where c.context_key = %(context_key)s
  and c.agent_id = %(agent_id)s
  and c.user_id is not distinct from %(user_id)s::text
  and m.kind = 'message'
  and m.forgotten_at is null
  and (m.expires_at is null or m.expires_at > now())
order by m.occurred_at desc, m.position desc
limit %(row_limit)s;

-- name: clear_context
select public.forget_memories(jsonb_build_object('ids', coalesce(jsonb_agg(m.id), '[]')), false) as answer
from public.ai_memory_contexts as c
join public.ai_memories as m on m.organization_id = c.organization_id and m.context_id = c.id
where c.context_key = %(context_key)s
  and c.agent_id = %(agent_id)s
  and c.user_id is not distinct from %(user_id)s::text
  and m.forgotten_at is null;

-- name: find_summary
select m.content
from public.ai_memory_contexts as c
join public.ai_memories as m on m.organization_id = c.organization_id and m.context_id = c.id
where c.context_key = %(context_key)s
  and c.agent_id = %(agent_id)s
  and c.user_id is not distinct from %(user_id)s::text
  and m.kind = 'summary'
  and m.forgotten_at is null
  and (m.valid_to is null or m.valid_to > now())
order by m.valid_from desc, m.id desc
limit 1;
