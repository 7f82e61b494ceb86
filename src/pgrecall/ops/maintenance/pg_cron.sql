-- Times are those of cron.timezone, by default UTC. Each run does a batch and is over soon.
-- Those of another window go first.
select cron.unschedule(jobid) from cron.job
where jobname like 'pgrecall-%' and database = current_database() and username = current_user;
{retain}
select cron.schedule('pgrecall-roll-up', '{begin.minute} {begin.hour} * * *', $$select agent_memory.roll_up_stats(now() - interval '{days} days', 100000)$$);
select cron.schedule('pgrecall-vacuum-memories', '{last.minute} {last.hour} * * *', $$vacuum (analyze) public.ai_memories$$);
select cron.schedule('pgrecall-vacuum-history', '{last.minute} {last.hour} * * *', $$vacuum (analyze) agent_memory.history$$);
-- Indexes are rebuilt by pgrecall maintain alone, which sees which ones need it.
-- The first statement alone ends it.
