-- Statistics: what clients counted, and their way into the table.

-- name: add_memory_stats
select public.add_memory_stats(%(counts)s::jsonb) as written;

-- name: agent_stats
-- Sums by agent and hour, day or in all, of which the period is -infinity; oldest first.
with chosen as (
  select case %(by)s::text
           when 'hour' then s.hour
           when 'day' then date_trunc('day', s.hour, 'UTC')
           else '-infinity'::timestamptz
         end as period, s.*
  from public.agent_memory_stats as s
  where (%(agent_id)s::text is null or s.agent_id = %(agent_id)s::text)
    and (%(since)s::timestamptz is null or s.hour >= %(since)s::timestamptz)
    and (%(until)s::timestamptz is null or s.hour < %(until)s::timestamptz)
),
latencies as (
  select b.period, b.agent_id, array_agg(b.count order by b.place) as latencies
  from (
    select c.period, c.agent_id, u.place, sum(u.count)::bigint as count
    from chosen as c cross join lateral unnest(c.latencies) with ordinality as u (count, place)
    group by c.period, c.agent_id, u.place
  ) as b
  group by b.period, b.agent_id
),
counts as (
  select c.period, c.agent_id, sum(c.added)::bigint as added, sum(c.duplicates)::bigint as duplicates,
         sum(c.superseded)::bigint as superseded, sum(c.updated)::bigint as updated,
         sum(c.forgotten)::bigint as forgotten, sum(c.erased)::bigint as erased,
         sum(c.recalls)::bigint as recalls, sum(c.empty_recalls)::bigint as empty_recalls,
         sum(c.embedding_tokens)::bigint as embedding_tokens, sum(c.query_tokens)::bigint as query_tokens
  from chosen as c
  group by c.period, c.agent_id
)
select nullif(c.period, '-infinity') as start, c.agent_id, c.added, c.duplicates, c.superseded, c.updated,
       c.forgotten, c.erased, c.recalls, c.empty_recalls, c.embedding_tokens, c.query_tokens, l.latencies
from counts as c
join latencies as l on l.period = c.period and l.agent_id = c.agent_id
order by c.period, c.agent_id;
