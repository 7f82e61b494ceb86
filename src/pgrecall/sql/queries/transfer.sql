-- Memories on their way out and in.

-- name: begin_snapshot
-- However long it lasts, it sees one moment.
begin isolation level repeatable read, read only;

-- name: export_memories
select m.id, m.organization_id, m.agent_id, m.user_id, m.context_id, c.context_key, m.kind,
       m.content, m.speaker, m.language, m.slot, m.importance, m.confidence, m.trust, m.visibility,
       m.metadata, m.occurred_at, m.valid_from, m.valid_to, m.superseded_by, m.expires_at,
       m.forgotten_at, m.created_at, m.updated_at, m.position
from public.ai_memories as m
left join public.ai_memory_contexts as c
  on c.organization_id = m.organization_id and c.id = m.context_id
where (%(after)s::uuid is null or m.id > %(after)s::uuid)
  and (%(user_id)s::text is null or m.user_id = %(user_id)s::text)
  and (%(agent_id)s::text is null or m.agent_id = %(agent_id)s::text)
  and (%(context_key)s::text is null or c.context_key = %(context_key)s::text)
  and (%(kinds)s::text[] is null or m.kind = any (%(kinds)s::text[]))
  and (%(since)s::timestamptz is null or m.occurred_at >= %(since)s::timestamptz)
  and (%(until)s::timestamptz is null or m.occurred_at < %(until)s::timestamptz)
order by m.id
limit %(row_limit)s;

-- name: export_history
select memory_id, change, changed_at, changed_by, before, after
from public.memory_changes(%(ids)s::uuid[]);

-- name: check_imports
select ordinal, id, status, code, reason
from public.import_memories(%(memories)s::jsonb, dry_run => true);

-- name: import_memories
select ordinal, id, status, code, reason
from public.import_memories(%(memories)s::jsonb);

-- Tables of other systems, whose names are given: composed by the server, null if there is none.

-- name: compose_payload_rows
select format('select id::text as id, payload from %%s order by id', to_regclass(%(table)s::text))
         as composed
where to_regclass(%(table)s::text) is not null;

-- name: compose_store_rows
select format('select to_jsonb(s) as row from %%s as s order by s.prefix, s.key',
              to_regclass(%(table)s::text)) as composed
where to_regclass(%(table)s::text) is not null;
