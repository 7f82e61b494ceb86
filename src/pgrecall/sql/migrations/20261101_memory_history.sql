-- pgrecall: what happened to a memory after it was written.
--
-- One row a change, never updated but for its visibility, which follows the memory's. The writing
-- itself is the memory's own created_at and needs no row.

-- Names below resolve to what they say, whatever the session's path was.
set search_path = pg_catalog, pg_temp;

create table if not exists public.ai_memory_history (
  organization_id uuid not null,
  memory_id uuid not null,
  id uuid not null default agent_memory.uuid_v7(),
  agent_id text not null,
  user_id text,
  visibility text not null,
  change text not null check (change in ('updated', 'superseded', 'forgotten', 'restored')),
  changed_at timestamptz not null default agent_memory.now(),
  changed_by text not null,
  before jsonb not null,
  after jsonb not null,
  primary key (organization_id, memory_id, id),
  constraint ai_memory_history_memory_fk foreign key (organization_id, memory_id)
    references public.ai_memories (organization_id, id) on delete cascade
);
comment on table public.ai_memory_history is 'The changes of memories: the fields that changed, before and after, and who changed them.';
comment on column public.ai_memory_history.changed_by is 'The member who changed it, as in organization_members.user_id.';
comment on column public.ai_memory_history.before is 'The changed fields with their earlier values.';
comment on column public.ai_memory_history.after is 'The same fields with their later values; of a superseded memory, valid_to and superseded_by.';

select agent_memory.policy('public.ai_memory_history', 'readers', 'writers');

do $types$
begin
  if pg_catalog.to_regtype('public.memory_change') is null then
    create type public.memory_change as (
      memory_id uuid, change text, changed_at timestamptz, changed_by text,
      content text, before jsonb, after jsonb);
  end if;
end
$types$;
comment on type public.memory_change is
  'One step in the life of a memory or of its slot: added, updated, superseded, forgotten or restored; content is the memory''s as it is now.';

create or replace function public.memory_history(memory_id uuid)
returns setof public.memory_change
language sql stable parallel safe security definer
set search_path = pg_catalog, pg_temp
as $$
  with life as materialized (
    select m.organization_id, m.id, m.content, m.created_at, caller.person, caller.program
    from agent_memory.principal() as caller
    join public.ai_memories as asked
      on asked.organization_id = caller.reads and asked.id = memory_history.memory_id
    join public.ai_memories as m
      on m.organization_id = caller.organization_id
     and (m.id = asked.id
          or (m.slot = asked.slot and m.agent_id = asked.agent_id
              and m.user_id is not distinct from asked.user_id))
    where agent_memory.may_read(asked.visibility, asked.user_id, asked.agent_id, caller.person, caller.program)
      and agent_memory.may_read(m.visibility, m.user_id, m.agent_id, caller.person, caller.program)
  )
  select l.id, 'added', l.created_at, null::text, l.content, '{}'::jsonb, '{}'::jsonb from life as l
  union all
  select l.id, h.change, h.changed_at, h.changed_by, l.content, h.before, h.after
  from life as l
  join public.ai_memory_history as h on h.organization_id = l.organization_id and h.memory_id = l.id
   and agent_memory.may_read(h.visibility, h.user_id, h.agent_id, l.person, l.program)
  order by 3, 2, 1
$$;
comment on function public.memory_history(uuid) is
  'What happened to a memory, oldest first; for a memory with a slot, to all values that the slot has had. A change from before it was shared shows to those alone who could see it then. Empty if there is no such memory that the caller may read.';

select agent_memory.expose('public.memory_history(uuid)', 'authenticated', 'service_role');

-- What comes next on this connection, which a pooler may give to somebody else, has its own path.
reset search_path;
