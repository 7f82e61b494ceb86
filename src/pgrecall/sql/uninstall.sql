-- pgrecall: takes away from this database all that the installation made, for good.
--
-- By psql, any number of times: psql "$DATABASE_URL" -v ON_ERROR_STOP=1 -f uninstall.sql
-- What it would do: run the first statement, then select * from pg_temp.uninstall_plan();
-- Back up before: `pgrecall uninstall --keep DIR` does both.

-- plan: begins
create or replace function pg_temp.uninstall_plan()
returns table (kind text, name text, statement text, used_by text)
language plpgsql
set search_path = pg_catalog, pg_temp
as $plan$
declare
  here constant oid := pg_catalog.to_regnamespace('agent_memory');
  current constant oid := (select d.oid from pg_catalog.pg_database as d where d.datname = pg_catalog.current_database());
  owner constant oid := (select n.nspowner from pg_catalog.pg_namespace as n where n.oid = here);
  me constant record := (select r from pg_catalog.pg_roles as r where r.rolname = current_user);
  version constant integer := pg_catalog.current_setting('server_version_num')::integer;
  relations oid[];
  functions oid[];
  types oid[];
  members oid[];
  gone oid[] := '{}';
  leaving oid[] := '{}';
  addition record;
  target oid;
  users text[];
begin
  if here is null then
    return;
  end if;
  if not exists (select from pg_catalog.pg_class as c where c.relnamespace = here and c.relname = 'additions') then
    raise exception using errcode = 'object_not_in_prerequisite_state',
      message = 'schema agent_memory is not pgrecall''s';
  end if;
  if not pg_catalog.pg_has_role(current_user, owner, 'USAGE') then
    raise exception using errcode = 'insufficient_privilege',
      message = pg_catalog.format('pgrecall belongs to %s', pg_catalog.pg_get_userbyid(owner)),
      hint = 'Connect as that role, or as a superuser.';
  end if;

  execute 'select array(
      select c.oid from pg_catalog.pg_class as c where c.relnamespace = $1
      union select n.named from (
        select case d.kind when ''table'' then pg_catalog.to_regclass(d.name) end as named from agent_memory.declared_rights() as d) as n
      where n.named is not null)' into relations using here;
  relations := relations || array(select i.indexrelid from pg_catalog.pg_index as i where i.indrelid = any (relations));
  execute 'select array(
      select p.oid from pg_catalog.pg_proc as p where p.pronamespace = $1
      union select n.named from (
        select case d.kind when ''function'' then pg_catalog.to_regprocedure(d.name) end as named from agent_memory.declared_rights() as d) as n
      where n.named is not null)' into functions using here;
  types := array(select t.oid from pg_catalog.pg_type as t where t.typnamespace = here or t.typrelid = any (relations));
  types := types || array(select t.oid from pg_catalog.pg_type as t where t.typelem = any (types));

  -- What `pgrecall maintain --schedule pg_cron` wrote, and somebody ran, would fail from now on.
  if pg_catalog.to_regclass('cron.job') is not null
     and pg_catalog.has_schema_privilege('cron', 'USAGE') and pg_catalog.has_table_privilege('cron.job', 'SELECT') then
    return query execute 'select ''schedule'', j.jobname::text, pg_catalog.format(''select cron.unschedule(%s::bigint)'', j.jobid), null::text
      from cron.job as j
      where j.jobname like ''pgrecall-%'' and j.database = pg_catalog.current_database() and j.username = current_user
      order by j.jobname';
  end if;

  -- What another application built on it would go along, and is not ours to take.
  return query
  select distinct 'dependent', coalesce(
           pg_catalog.pg_describe_object('pg_catalog.pg_class'::pg_catalog.regclass, w.ev_class, 0),
           pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid)), null::text, null::text
  from pg_catalog.pg_depend as d
  left join pg_catalog.pg_rewrite as w on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and w.oid = d.objid
  left join pg_catalog.pg_constraint as k on d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass and k.oid = d.objid
  left join pg_catalog.pg_attrdef as a on d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass and a.oid = d.objid
  left join pg_catalog.pg_policy as y on d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass and y.oid = d.objid
  left join pg_catalog.pg_trigger as g on d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass and g.oid = d.objid
  where d.deptype = 'n'
    and (d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = any (relations)
         or d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.refobjid = any (functions)
         or d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass and d.refobjid = any (types)
         or d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass and d.refobjid = here)
    and not (d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = any (functions)
             or d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass and d.objid = any (types)
             or coalesce(k.contypid = any (types), false)
             or coalesce(w.ev_class, nullif(k.conrelid, 0), a.adrelid, y.polrelid, g.tgrelid,
                         case when d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass then d.objid end, 0) = any (relations));

  return query
  select 'table', c.oid::pg_catalog.regclass::text, pg_catalog.format('drop table %I.%I cascade', n.nspname, c.relname), null::text
  from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace and n.oid <> here
  where c.oid = any (relations) and c.relkind in ('r', 'p') order by 2;
  return query
  select 'function', p.oid::pg_catalog.regprocedure::text,
         pg_catalog.format('drop routine if exists %I.%I(%s) cascade', n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid)), null::text
  from pg_catalog.pg_proc as p
  join pg_catalog.pg_namespace as n on n.oid = p.pronamespace and n.oid <> here
  where p.oid = any (functions) order by 2;
  return query select 'schema', 'agent_memory', 'drop schema agent_memory cascade', null::text;

  for addition in
    execute 'select a.kind, a.name from agent_memory.additions as a where a.kind = ''extension'' order by a.name desc'
  loop
    target := (select e.oid from pg_catalog.pg_extension as e where e.extname = addition.name);
    continue when target is null;
    members := array(
      select d.objid from pg_catalog.pg_depend as d
      where d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass and d.refobjid = target and d.deptype = 'e');
    users := array(
      select distinct pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid)
      from pg_catalog.pg_depend as d
      left join pg_catalog.pg_attrdef as a on d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass and a.oid = d.objid
      left join pg_catalog.pg_constraint as k on d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass and k.oid = d.objid
      left join pg_catalog.pg_rewrite as w on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and w.oid = d.objid
      where (d.refobjid = any (members) or d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass and d.refobjid = target)
        and d.deptype = 'n' and not d.objid = any (members) and not d.objid = any (functions) and not d.objid = any (types)
        and not coalesce(a.adrelid, nullif(k.conrelid, 0), w.ev_class, d.objid) = any (relations)
        and not exists (
          -- What is internal to a member, such as the operators of its families.
          select from pg_catalog.pg_depend as i where i.classid = d.classid and i.objid = d.objid
            and i.deptype in ('i', 'e') and i.refobjid = any (members || target))
      union
      -- Bodies of functions depend on nothing that the catalogs know, so their text is searched.
      select distinct pg_catalog.pg_describe_object('pg_catalog.pg_proc'::pg_catalog.regclass, p.oid, 0)
      from pg_catalog.pg_proc as p
      join pg_catalog.pg_language as l on l.oid = p.prolang and l.lanname not in ('c', 'internal')
      join pg_catalog.pg_namespace as n on n.oid = p.pronamespace and n.nspname not in ('pg_catalog', 'information_schema')
      join (select m.proname as word from pg_catalog.pg_proc as m where m.oid = any (members)
            union select t.typname from pg_catalog.pg_type as t where t.oid = any (members)) as m
        on p.prosrc ~* ('\m' || m.word || '\M')
      where not p.oid = any (functions) and not p.oid = any (members)
        and not exists (select from pg_catalog.pg_proc as b
                        where b.pronamespace = 'pg_catalog'::pg_catalog.regnamespace and b.proname = m.word)
      order by 1);
    if users = '{}' and not exists (select from pg_catalog.pg_extension as e
                                    where e.oid = target and pg_catalog.pg_has_role(current_user, e.extowner, 'USAGE')) then
      users := array['another owner'];
    end if;
    if users = '{}' then
      gone := gone || target;
    end if;
    return query select addition.kind, addition.name,
      case when users = '{}' then pg_catalog.format('drop extension %I', addition.name) end,
      case when users <> '{}' then pg_catalog.array_to_string(users[1:5], ', ') end;
  end loop;

  for addition in
    execute 'select a.kind, a.name from agent_memory.additions as a where a.kind = ''schema'''
  loop
    target := pg_catalog.to_regnamespace(pg_catalog.quote_ident(addition.name));
    continue when target is null;
    users := array(
      select distinct pg_catalog.pg_describe_object(d.classid, d.objid, 0)
      from pg_catalog.pg_depend as d
      where d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass and d.refobjid = target
        and not (d.classid = 'pg_catalog.pg_extension'::pg_catalog.regclass and d.objid = any (gone))
        and not exists (
          select from pg_catalog.pg_depend as m
          where (m.classid, m.objid) = (d.classid, d.objid) and m.deptype = 'e')
      order by 1);
    return query select addition.kind, addition.name,
      case when users = '{}' then pg_catalog.format('drop schema %I', addition.name) end,
      case when users <> '{}' then pg_catalog.array_to_string(users[1:5], ', ') end;
  end loop;

  -- The login first, which is a member of another one.
  for addition in
    execute 'select r.oid, r.rolname, h.made, h."right", h.membership
             from pg_catalog.pg_roles as r
             cross join lateral (
               select pg_catalog.bool_or(a.kind = ''role'') as made, pg_catalog.bool_or(a.kind = ''right'') as "right",
                      pg_catalog.bool_or(a.kind = ''membership'') as membership
               from agent_memory.additions as a where a.name = r.rolname and a.kind in (''role'', ''right'', ''membership'')) as h
             where h.made is not null order by r.rolcanlogin desc, r.rolname'
  loop
    users := array(
      select coalesce('database ' || b.datname, pg_catalog.pg_describe_object(s.classid, s.objid, s.objsubid))
      from pg_catalog.pg_shdepend as s
      left join pg_catalog.pg_database as b on b.oid = s.dbid and b.oid <> current
      where s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass and s.refobjid = addition.oid
        and not (s.dbid = current and (
          s.objid = any (relations || functions || types || here)
          or s.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass
             and exists (select from pg_catalog.pg_policy as y where y.oid = s.objid and y.polrelid = any (relations))
          or addition."right" and s.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
             and s.objid = 'public'::pg_catalog.regnamespace))
        -- That it may connect here is from making it.
        and not (addition.made and s.dbid = 0 and s.objid = current)
      union
      select 'role ' || m.member::pg_catalog.regrole
      from pg_catalog.pg_auth_members as m
      where m.roleid = addition.oid and m.member <> owner and not m.member = any (leaving)
      order by 1);
    if addition."right" then
      return query select 'right', 'USAGE on schema public to ' || addition.rolname,
        pg_catalog.format('revoke usage on schema public from %I', addition.rolname), null::text;
    end if;
    if addition.made and users = '{}' and not (
        me.rolsuper or me.rolcreaterole and (version < 160000 or exists (
          select from pg_catalog.pg_auth_members as m
          where m.roleid = addition.oid and m.admin_option and pg_catalog.pg_has_role(current_user, m.member, 'USAGE')))) then
      users := array[pg_catalog.format('%s may not drop it', current_user)];
    end if;
    if addition.made then
      if users = '{}' then
        leaving := leaving || addition.oid;
      end if;
      return query select 'role', addition.rolname::text,
        case when users = '{}' then
          pg_catalog.format('revoke all on database %I from %2$I; drop role %2$I', pg_catalog.current_database(), addition.rolname) end,
        case when users <> '{}' then pg_catalog.array_to_string(users[1:5], ', ') end;
    elsif addition.membership then
      -- Another database of this server may count on it.
      users := array(select u from pg_catalog.unnest(users) as u where u like 'database %' order by 1);
      return query select 'membership', pg_catalog.format('%s in %s', pg_catalog.pg_get_userbyid(owner), addition.rolname),
        case when users = '{}' then pg_catalog.format('revoke %I from %I', addition.rolname, pg_catalog.pg_get_userbyid(owner)) end,
        case when users <> '{}' then pg_catalog.array_to_string(users[1:5], ', ') end;
    end if;
  end loop;
end
$plan$;
-- plan: ends

-- One statement, so that all of it goes or nothing does, whoever runs this.
do $uninstall$
declare
  dependents text;
  step record;
begin
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),
          pg_catalog.set_config('client_min_messages', 'notice', true),
          pg_catalog.set_config('lock_timeout', coalesce(nullif(pg_catalog.current_setting('pgrecall.lock_timeout', true), ''), '5s'), true);
  select pg_catalog.string_agg(p.name, ', ' order by p.name) into dependents
  from pg_temp.uninstall_plan() as p where p.kind = 'dependent';
  if dependents is not null then
    raise exception using errcode = 'dependent_objects_still_exist',
      message = pg_catalog.format('not pgrecall''s, and built on it: %s', dependents),
      hint = 'Nothing was changed. Drop or change these first.';
  end if;
  for step in
    select p.* from pg_temp.uninstall_plan() with ordinality as p (kind, name, statement, used_by, place) order by p.place
  loop
    if step.statement is null then
      raise notice 'pgrecall: % % stays; it is used by %', step.kind, step.name, step.used_by;
    else
      perform pg_catalog.set_config('client_min_messages', 'warning', true);
      execute step.statement;
      perform pg_catalog.set_config('client_min_messages', 'notice', true);
    end if;
  end loop;
end
$uninstall$;
drop function pg_temp.uninstall_plan();
