-- Default privileges of projects since 2026: nothing is exposed. What the Data API has no use for
-- was left as it was, and functions are not everybody's.
alter default privileges for role supabase_postgres_like in schema public
  grant truncate, references, trigger on tables to anon, authenticated, service_role;
alter default privileges for role supabase_postgres_like
  revoke execute on functions from public;
