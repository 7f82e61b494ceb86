-- What every transaction of a client begins with, and what is asked when one is opened.

-- name: begin
begin;

-- name: commit
commit;

-- name: act_as
-- The caller's role and claims, for this transaction alone: nothing is left behind on a connection
-- that a pooler gives to somebody else. The role is our constant; as a regrole, one that is missing
-- has an SQLSTATE of its own. The older, singular settings
-- would win over the claims in some functions of Supabase, so they are emptied. Times are written
-- in one form, whatever the database, the role or the client's environment prefers.
select set_config('role', 'authenticated'::regrole::text, true),
       set_config('request.jwt.claims', %(claims)s, true),
       set_config('request.jwt.claim.sub', '', true),
       set_config('request.jwt.claim', '', true),
       set_config('pgrecall.claims_expire', %(claims_expire)s, true),
       set_config('pgrecall.claims_signature', %(claims_signature)s, true),
       set_config('timezone', 'UTC', true),
       set_config('datestyle', 'ISO, YMD', true),
       set_config('statement_timeout', %(statement_timeout)s, true);

-- name: look_around
select (s.status ->> 'has_vector')::boolean as has_vector, s.status ->> 'organization_id' is not null as is_member
from public.memory_status() as s (status);

-- name: settle_agent
select agent_memory.settle_agent(%(organization_id)s, %(name)s, %(agent_id)s);
