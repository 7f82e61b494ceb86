-- pgrecall: a conversation as it happens.

-- Names below resolve to what they say, whatever the session's path was.
set search_path = pg_catalog, pg_temp;

create or replace function agent_memory.said_at(
  caller agent_memory.principal, agent_id text, idempotency_key text, place bigint)
returns timestamptz
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return coalesce(
    (select m.occurred_at from public.ai_memories as m
     where m.organization_id = caller.organization_id
       and m.agent_id = coalesce(said_at.agent_id, caller.program, 'default')
       and m.idempotency_key = said_at.idempotency_key),
    agent_memory.now() + (place - 1) * interval '1 microsecond');
end
$$;
comment on function agent_memory.said_at(agent_memory.principal, text, text, bigint) is
  'When a message without a time was said: now, in its place; or, if its idempotency key was used before, when it was first sent.';

create or replace function public.append_context(
  messages jsonb, context_key text default null, agent_id text default null, user_id text default null)
returns setof public.remembered_memory
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  caller agent_memory.principal := agent_memory.require_writer('remember');
  shared jsonb := jsonb_strip_nulls(jsonb_build_object(
    'kind', 'message', 'context_key', context_key, 'agent_id', agent_id, 'user_id', user_id));
begin
  if jsonb_typeof(messages) is distinct from 'array' then
    raise exception using errcode = 'PM003', message = 'messages must be an array of objects',
      hint = 'Such as [{"role": "user", "content": "Hello"}].';
  end if;
  return query select r.* from public.remember_memories((
    select coalesce(jsonb_agg(case when jsonb_typeof(m.message) <> 'object' then m.message else
        jsonb_build_object('occurred_at', agent_memory.said_at(
          caller, coalesce(m.message ->> 'agent_id', agent_id), m.message ->> 'idempotency_key', m.place))
        || shared
        || case m.message ->> 'role'
             when 'user' then '{"trust": "user", "metadata": {"role": "user"}}'
             when 'assistant' then '{"trust": "assistant", "metadata": {"role": "assistant"}}'
             when 'tool' then '{"trust": "tool", "metadata": {"role": "tool"}}'
             when 'system' then '{"trust": "document", "metadata": {"role": "system"}}'
             else '{}' end::jsonb
        || case when m.message ? 'name' then jsonb_build_object('speaker', m.message -> 'name') else '{}' end
        || (m.message - array['role', 'name'])
      end order by m.place), '[]')
    from jsonb_array_elements(messages) with ordinality as m (message, place))) as r;
end
$$;
comment on function public.append_context(jsonb, text, text, text) is
  'Adds messages to a conversation, as said now in their order, so that the same words said again are another message. A message has content, and optionally role (user, assistant, tool, system), name, and the fields of remember_memories(). Answers as that does. Raises PM001, PM002, PM003, PM005, PM008.';

select agent_memory.expose(function::regprocedure, variadic callers)
from (values
  ('agent_memory.said_at(agent_memory.principal, text, text, bigint)', '{}'::text[]),
  ('public.append_context(jsonb, text, text, text)', '{authenticated,service_role}')
) as grants (function, callers);

-- What comes next on this connection, which a pooler may give to somebody else, has its own path.
reset search_path;
