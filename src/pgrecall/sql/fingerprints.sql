-- pgrecall: what the migrations made of this database. The runner creates it when it has applied all
-- of them for the first time, and fills it in the same transaction.

create table agent_memory.fingerprints (
  kind text not null,
  name text not null,
  part_of text,
  definition text not null,
  cure text,
  primary key (kind, name)
);
comment on table agent_memory.fingerprints is 'Every object of the schema as the catalogs described it when the migrations had been applied; `pgrecall migrate --status` names what differs. It finds accidents: who owns the schema can write here, too.';
comment on column agent_memory.fingerprints.part_of is 'The object with which it comes and goes.';
comment on column agent_memory.fingerprints.cure is 'The statement that makes it as it was; null where applying the migrations again does.';
alter table agent_memory.fingerprints enable row level security;
revoke all on agent_memory.fingerprints from public, anon, authenticated, service_role;
