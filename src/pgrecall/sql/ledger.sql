-- pgrecall: which migrations were applied to this database. The runner creates it after the first
-- file, in the same transaction; who applies the files by psql needs none.

create table agent_memory.migrations (
  name text primary key,
  checksum text not null check (checksum ~ '^[0-9a-f]{64}$'),
  applied_at timestamptz not null,
  applied_by text not null,
  features text[] not null
);
comment on table agent_memory.migrations is 'The ledger of migrations: one row a file, as it was when it was last applied.';
comment on column agent_memory.migrations.checksum is 'SHA-256 of the file''s text with Unix line endings.';
comment on column agent_memory.migrations.features is
  'The extensions that migrations ask for, as they were: ''vector 0.8.1'', or ''vector available'' where only the server had it. When one has changed, the files that name it are applied again.';
alter table agent_memory.migrations enable row level security;
revoke all on agent_memory.migrations from public, anon, authenticated, service_role;
