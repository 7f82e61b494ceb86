-- What `pgrecall doctor` asks about memories: vectors, backups, and how much recall finds. Needs a
-- role that sees all organizations. Statements over agent_memory.embeddings, which is not everywhere,
-- are composed by the server first.

-- name: doctor_agent_models
-- The largest gaps first; of an agent without a model there is nothing to say.
with models as (
  select c.organization_id, c.agent_id, c.embedding_model as model, 'current' as state, c.updated_at as changed_at
  from public.agent_memory_config as c where c.embedding_model is not null
  union all
  select m.organization_id, m.agent_id, m.model, m.state, m.changed_at from agent_memory.models as m
)
select m.organization_id, o.name as organization, m.agent_id, m.model, m.state,
       (extract(epoch from clock_timestamp() - m.changed_at) / 86400)::double precision as days, c.memories, c.missing
from models as m
join agent_memory.organizations as o on o.organization_id = m.organization_id
cross join lateral agent_memory.count_missing(m.organization_id, m.agent_id, m.model) as c
order by c.missing desc, o.name, m.agent_id, m.model
limit 1000;

-- name: doctor_compose_vector_counts
select 'select e.organization_id, e.model, count(*) as vectors,
               format(''DELETE FROM agent_memory.embeddings WHERE organization_id = %%L AND model = %%L;'', e.organization_id, e.model) as removal
        from agent_memory.embeddings as e group by 1, 2 order by 1, 2' as composed;

-- name: doctor_backups
-- All zeros stand for the whole database.
with runs as (
  select b.*, row_number() over (partition by b.organization_id order by b.started_at desc) as place_in_time
  from agent_memory.backups as b where b.action = 'backup' and b.state <> 'running'
),
sizes as (
  select m.organization_id, min(m.created_at) as oldest, max(m.created_at) as newest
  from public.ai_memories as m group by 1
)
select s.organization_id, o.name as organization, age.oldest, age.newest, age.backup, age.first_backup, age.verified,
       newest.place, failed.failure, to_char(clock_timestamp() at time zone 'UTC', 'YYYYMMDD-HH24MISS') as stamp
from sizes as s
join agent_memory.organizations as o on o.organization_id = s.organization_id
left join lateral (
  select max(r.snapshot_at) as backup, min(r.snapshot_at) as first_backup
  from runs as r
  where r.organization_id in (s.organization_id, '00000000-0000-0000-0000-000000000000') and r.state = 'done' and r.deleted_at is null
) as made on true
left join lateral (
  select r.place from runs as r
  where r.organization_id in (s.organization_id, '00000000-0000-0000-0000-000000000000') and r.state = 'done' and r.deleted_at is null
  order by r.snapshot_at desc limit 1
) as newest on true
left join lateral (
  select coalesce(r.reason, 'it did not say why') as failure from runs as r
  where r.organization_id = s.organization_id and r.place_in_time = 1 and r.state = 'failed'
) as failed on true
left join lateral (
  select max(v.finished_at) as at from agent_memory.backups as v
  where v.organization_id in (s.organization_id, '00000000-0000-0000-0000-000000000000') and v.action = 'verification' and v.state = 'done'
) as proven on true
cross join lateral (
  select (extract(epoch from clock_timestamp() - s.oldest) / 86400)::double precision as oldest,
         (extract(epoch from clock_timestamp() - s.newest) / 86400)::double precision as newest,
         (extract(epoch from clock_timestamp() - made.backup) / 86400)::double precision as backup,
         (extract(epoch from clock_timestamp() - made.first_backup) / 86400)::double precision as first_backup,
         (extract(epoch from clock_timestamp() - proven.at) / 86400)::double precision as verified
) as age
order by o.name, s.organization_id
limit 1000;

-- name: doctor_signed_claims
select exists (select from agent_memory.claim_signing) as are_signed;

-- name: doctor_exact_limit
select agent_memory.exact_limit() as exact_limit;

-- name: doctor_organization_sizes
select m.organization_id, o.name as organization, count(*) as memories
from public.ai_memories as m
join agent_memory.organizations as o on o.organization_id = m.organization_id
group by 1, 2
order by 3 desc, 1;

-- name: doctor_compose_vector_samples
-- Memories from all of an organization's time, with their vectors: of the model that most have.
select format(
  'with model as (
     select e.model from agent_memory.embeddings as e where e.organization_id = %%1$L group by 1 order by count(*) desc limit 1)
   select s.agent_id, '''' as query, s.embedding::real[] as embedding, s.model,
          ''agent_memory.embeddings_hnsw_'' || %%4$I.vector_dims(s.embedding) || ''_idx'' as index
   from (
     select m.agent_id, e.embedding, e.model, row_number() over (order by e.memory_id) as place
     from agent_memory.embeddings as e
     join model on model.model = e.model
     join public.ai_memories as m on m.organization_id = e.organization_id and m.id = e.memory_id
     join agent_memory.members as b on b.organization_id = m.organization_id and b.user_id = ''agent:'' || m.agent_id
     where e.organization_id = %%1$L and m.forgotten_at is null and m.valid_to is null) as s
   where s.place %%%% greatest(1, %%2$s / %%3$s) = 0
   order by s.place limit %%3$s',
  %(organization_id)s::uuid, %(memories)s::integer, %(queries)s::integer, agent_memory.vector_schema()) as composed;

-- name: doctor_text_samples
select s.agent_id, left(s.content, 200) as query, null::real[] as embedding, null::text as model
from (
  select m.agent_id, m.content, row_number() over (order by m.id) as place
  from public.ai_memories as m
  join agent_memory.members as b on b.organization_id = m.organization_id and b.user_id = 'agent:' || m.agent_id
  where m.organization_id = %(organization_id)s and m.forgotten_at is null and m.valid_to is null) as s
where s.place %% greatest(1, %(memories)s::integer / %(queries)s::integer) = 0
order by s.place
limit %(queries)s::integer;

-- name: doctor_act_as
select set_config('request.jwt.claims', %(claims)s, true), set_config('request.jwt.claim.sub', '', true),
       set_config('pgrecall.exact_limit', coalesce(nullif(%(exact_limit)s, ''), agent_memory.exact_limit()::text), true);

-- name: doctor_recall
select r.id from public.recall_memories(%(query)s, %(embedding)s::real[], %(model)s, match_limit => 10) as r;
