-- Times are those of cron.timezone, by default UTC. Each run does a batch and is over soon.
select cron.schedule('pgrecall-retain', '*/5 {hours} * * *', $$select agent_memory.retain_all(5000)$$);
select cron.schedule('pgrecall-roll-up', '{minute} {hour} * * *', $$select agent_memory.roll_up_stats(now() - interval '{days} days', 100000)$$);
select cron.schedule('pgrecall-vacuum-memories', '{minute} {last} * * *', $$vacuum (analyze) public.ai_memories$$);
select cron.schedule('pgrecall-vacuum-history', '{minute} {last} * * *', $$vacuum (analyze) agent_memory.history$$);
-- Indexes are rebuilt by pgrecall maintain alone, which sees which ones need it.
-- To end it: select cron.unschedule(jobname) from cron.job where jobname like 'pgrecall-%';
