-- Access -------------------------------------------------------------------------------------

-- What a caller may see or change: the one expression, for policies and functions alike. may_read
-- compares all of the caller at once, since policies put one sub-select in its place: what is null
-- there or in the row is not compared. It is a CASE, since the planner would look for an index for
-- every arm of an OR. Operators carry their schema, since an inlined body is read under the
-- caller's search_path.

create or replace function agent_memory.may_read(
  visibility text, user_id text, agent_id text, person text, program text)
returns boolean
language sql immutable parallel safe
as $$
  select case
    when visibility operator(pg_catalog.=) 'organization' then true
    else ((agent_id, case when visibility operator(pg_catalog.<>) 'agent' then coalesce(user_id, '') end, true)
      operator(pg_catalog.=) (program, person, coalesce(program, person) is not null)) is not false
  end
$$;
comment on function agent_memory.may_read(text, text, text, text, text) is
  'Whether a caller of the row''s organization may read it. Everyone: what is shared with the organization. A program: all that its own agent holds. A person: what agents share with people, and all that is about this person.';

create or replace function agent_memory.may_write(
  visibility text, user_id text, agent_id text, role text, person text, program text)
returns boolean
language sql immutable parallel safe
as $$
  select case
    when role operator(pg_catalog.=) 'agent' then agent_id operator(pg_catalog.=) program
    when role operator(pg_catalog.=) 'member' then user_id operator(pg_catalog.=) person
    when role operator(pg_catalog.=) any ('{owner,admin}')
      then user_id operator(pg_catalog.=) person or visibility operator(pg_catalog.<>) 'private'
    else false
  end
$$;
comment on function agent_memory.may_write(text, text, text, text, text, text) is
  'Whether a caller of the row''s organization may add, change or forget it. A program: what its own agent holds. A member: what is about them. Admins and owners: that and all that is not private. Viewers: nothing.';

create or replace function agent_memory.openness(visibility text)
returns integer
language sql immutable parallel safe
as $$
  select case
    when visibility operator(pg_catalog.=) 'private' then 1
    when visibility operator(pg_catalog.=) 'agent' then 2
    else 3
  end
$$;
comment on function agent_memory.openness(text) is
  'How widely a visibility shows: whoever may read a row may read what is at least as open, of the same user and agent.';

-- The policies' wrapping of the two stands here alone: sub-selects make PostgreSQL evaluate the
-- caller once per statement instead of once per row. A statement can change its claims while it
-- runs, so no two sub-selects need find the same caller: each is verified, and lets pass what the
-- caller that it found may read or write in its own organization. Reading has the body of may_read
-- itself: a sub-select of several columns can stand only there, and a function would be parsed and
-- inlined again for every statement, for a tenth of what the read of one row takes. Whoever changes
-- may_read calls this again.
create or replace function agent_memory.policy(target regclass, may_read text, may_write text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  short constant text := (select relname from pg_catalog.pg_class where oid = target);
  tenant constant text := 'organization_id = (select agent_memory.active_organization())';
  is_readable constant text := (
    select replace(replace(regexp_replace(prosrc, '^\s*select\M', ''),
      '((agent_id,', '((organization_id, agent_id,'),
      '(program, person, coalesce(program, person) is not null)',
      '(select (p.caller).reads, (p.caller).program, (p.caller).person, (p.caller).reads is not null'
      ' from (select agent_memory.principal() as caller offset 0) as p)')
    from pg_catalog.pg_proc where oid = 'agent_memory.may_read(text, text, text, text, text)'::regprocedure);
  readable constant text := tenant || case may_read
    when 'members' then ''
    when 'readers' then format(' and (%s)', is_readable) end;
  writable constant text := tenant || case may_write
    when 'writers' then
      ' and (select agent_memory.may_write(visibility, user_id, agent_id, (p.caller).role, (p.caller).person, (p.caller).program)'
      ' and (p.caller).reads = organization_id'
      ' from (select (select agent_memory.principal()) as caller offset 0) as p)'
    when 'nobody' then ' and false' end;
  wanted record;
  digest text;
begin
  if not (select c.relrowsecurity from pg_class as c where c.oid = target) then
    execute format('alter table %s enable row level security', target);
  end if;
  for wanted in
    select short || p.suffix as name, p.definition
    from (values
      ('_select', format('for select to authenticated using (%s)', readable)),
      ('_insert', format('for insert to authenticated with check (%s)', writable)),
      ('_update', format('for update to authenticated using (%s) with check (%s)', writable, writable)),
      ('_delete', format('for delete to authenticated using (%s)', writable))) as p (suffix, definition)
  loop
    -- Making a policy anew keeps readers waiting: it is left alone while it is as it was made, which its
    -- comment tells by two digests, of what was wanted and of how the server has it.
    digest := 'pgrecall ' || md5(wanted.definition) || ' ';
    continue when exists (
      select from pg_policy as p
      where p.polrelid = target and p.polname = wanted.name
        and obj_description(p.oid, 'pg_policy') = digest || agent_memory.policy_digest(p.oid));
    if exists (select from pg_policy as p where p.polrelid = target and p.polname = wanted.name) then
      execute format('drop policy %I on %s', wanted.name, target);
    end if;
    execute format('create policy %I on %s %s', wanted.name, target, wanted.definition);
    execute format('comment on policy %I on %s is %L', wanted.name, target, digest || (
      select agent_memory.policy_digest(p.oid) from pg_policy as p where p.polrelid = target and p.polname = wanted.name));
  end loop;
end
$$;
comment on function agent_memory.policy(regclass, text, text) is
  'Gives a table its Row Level Security, one policy a command: may_read is members or readers (whom may_read() lets), may_write is writers (whom may_write() lets) or nobody. Clients are granted SELECT alone; the policies for writing are a second wall.';

create or replace function agent_memory.policy_digest(policy oid)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select md5(concat_ws(' ', p.polcmd, p.polpermissive, array(select r::regrole::text from unnest(p.polroles) as r order by 1),
    pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)))
  from pg_policy as p where p.oid = policy_digest.policy
$$;
comment on function agent_memory.policy_digest(oid) is 'What a policy does, as the server renders it, as an MD5.';
