-- Default privileges of projects from before 2026, and of those that switched them on: whatever
-- is created in public is everybody's.
alter default privileges for role supabase_postgres_like in schema public
  grant all on tables to anon, authenticated, service_role;
alter default privileges for role supabase_postgres_like in schema public
  grant all on functions to anon, authenticated, service_role;
alter default privileges for role supabase_postgres_like in schema public
  grant all on sequences to anon, authenticated, service_role;
