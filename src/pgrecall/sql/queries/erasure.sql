-- For operators: on the connection of the schema's owner, who needs no membership.

-- name: erase_everywhere
select agent_memory.erase(
  row(o.organization_id, 'operator', 'owner', null, null, null, o.organization_id)::agent_memory.principal,
  %(scope)s::jsonb, true, %(dry_run)s) as answer
from agent_memory.organizations as o
where o.organization_id = %(organization_id)s;

-- name: lock_out_erasures
select agent_memory.lock_erasures(%(organization_id)s, false);

-- name: erase_entombed
-- Deletes what an organization's tombstones say is erased, as it was deleted the first time. Says
-- how many memories that were.
with known as materialized (
  select m.id, m.user_id, m.agent_id, c.context_key, m.created_at, row_number() over (order by m.id) as ordinal
  from public.ai_memories as m
  left join public.ai_memory_contexts as c on c.organization_id = m.organization_id and c.id = m.context_id
  where m.organization_id = %(organization_id)s
), gone as materialized (
  select k.id
  from (
    select array_agg(k.id order by k.ordinal) as ids, array_agg(k.user_id order by k.ordinal) as user_ids,
           array_agg(k.agent_id order by k.ordinal) as agent_ids, array_agg(k.context_key order by k.ordinal) as context_keys,
           array_agg(k.created_at order by k.ordinal) as created_ats
    from known as k) as a
  cross join lateral agent_memory.erased(%(organization_id)s, a.ids, a.user_ids, a.agent_ids, a.context_keys, a.created_ats) as e
  join known as k on k.ordinal = e.ordinal
), conversations as materialized (
  select c.id from public.ai_memory_contexts as c
  where c.organization_id = %(organization_id)s
    and agent_memory.is_erased(c.organization_id, null, c.user_id, c.agent_id, c.context_key, c.created_at)
)
select (agent_memory.delete_memories(%(organization_id)s, array(select g.id from gone as g), array(select c.id from conversations as c))
        ->> 'memories')::bigint as memories;

-- name: erase_entombed_traces
-- What else names an agent or a user that was erased as a whole.
with statistics as (
  delete from public.agent_memory_stats as s using agent_memory.tombstones as t
  where s.organization_id = %(organization_id)s and t.organization_id = s.organization_id
    and t.digest = agent_memory.scope_digest(null, s.agent_id, null) and t.erased_at >= s.hour
)
update agent_memory.audit as a set details = '{"user_id": null, "reason": null}'
from agent_memory.tombstones as t
where a.organization_id = %(organization_id)s and t.organization_id = a.organization_id and a.action = 'private_memories_read'
  and t.digest = agent_memory.scope_digest(a.details ->> 'user_id', null, null) and t.erased_at >= a.happened_at;
