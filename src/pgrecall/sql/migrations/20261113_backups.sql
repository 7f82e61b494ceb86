-- pgrecall: the ledger of backups, of what was restored from them, and of the proof that one can be.
--
-- One row a run, written by `pgrecall backup`, `restore` and `import` as the owner of the schema. It
-- is not part of a backup: what was restored elsewhere is another database's history.

-- Names below resolve to what they say, whatever the session's path was.
set search_path = pg_catalog, pg_temp;

create table if not exists agent_memory.backups (
  organization_id uuid not null,
  id uuid not null default agent_memory.uuid_v7(),
  backup_id uuid not null,
  action text not null check (action in ('backup', 'restore', 'verification', 'import')),
  place text not null check (char_length(place) between 1 and 4000),
  state text not null default 'running' check (state in ('running', 'done', 'failed')),
  started_at timestamptz not null default pg_catalog.clock_timestamp(),
  finished_at timestamptz,
  snapshot_at timestamptz,
  rows bigint check (rows >= 0),
  skipped bigint check (skipped >= 0),
  bytes bigint check (bytes >= 0),
  files_loaded integer not null default 0 check (files_loaded >= 0),
  is_fresh boolean not null default false,
  unbuilt_indexes text[] not null default '{}',
  reason text,
  deleted_at timestamptz,
  primary key (organization_id, id)
);
comment on table agent_memory.backups is 'The ledger of backups, restores, verifications and of imports that build indexes afterwards: one row a run. The newest snapshot_at of a backup that is done says what would be lost; the newest finished_at of a verification that is done, since when it is proven that a backup can be restored.';
comment on column agent_memory.backups.organization_id is 'The organization; all zeros for the whole database. No reference: what was backed up outlives its organization.';
comment on column agent_memory.backups.backup_id is 'The id of the backup, as its manifest names it; the same in each of its restores and verifications.';
comment on column agent_memory.backups.place is 'The path or URL, without credentials.';
comment on column agent_memory.backups.state is 'running also of a run that was killed.';
comment on column agent_memory.backups.snapshot_at is 'The moment whose state the backup holds.';
comment on column agent_memory.backups.rows is 'Rows in the backup, or rows that a restore has put in.';
comment on column agent_memory.backups.skipped is 'Rows that a restore left out, since they were erased.';
comment on column agent_memory.backups.files_loaded is 'How many files of the backup a restore has put in; a rerun goes on after them.';
comment on column agent_memory.backups.is_fresh is 'Whether the restore made the organization, so that afterwards it must be what the backup holds, and nothing else.';
comment on column agent_memory.backups.unbuilt_indexes is 'The indexes of search that the restore or import has dropped and not built again yet, as CREATE INDEX.';
comment on column agent_memory.backups.deleted_at is 'When the retention deleted the backup.';
create index if not exists backups_newest_idx on agent_memory.backups (organization_id, action, state, started_at);

alter table agent_memory.backups enable row level security;
revoke all on agent_memory.backups from public, anon, authenticated, service_role;

-- What comes next on this connection, which a pooler may give to somebody else, has its own path.
reset search_path;
