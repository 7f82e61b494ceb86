-- Settings -----------------------------------------------------------------------------------

select agent_memory.define_type('setting', 'setting text, value jsonb, source text, built_in jsonb');
comment on type agent_memory.setting is
  'One setting that holds, by name, such as limit or weights.meaning; source: agent, organization or built in; the value that is built in. Null where each memory decides, or nothing is set.';

select agent_memory.define_type('config_change', 'agent_id text, changed_at timestamptz, changed_by text, before jsonb, after jsonb');
comment on type agent_memory.config_change is
  'One change of settings: of the agent, or, with a null agent_id, of those that hold for all agents; by name, before and after.';

do $tables$
begin
  if pg_catalog.to_regclass('public.agent_memory_config') is null then
    create table public.agent_memory_config (
      organization_id uuid not null references agent_memory.organizations on delete cascade,
      agent_id text not null check (char_length(agent_id) between 1 and 255),
      embedding_model text check (char_length(embedding_model) between 1 and 255),
      embedding_dimension integer check (embedding_dimension between 1 and 16000),
      languages text[] not null default '{}' check (cardinality(languages) <= 100),
      settings jsonb not null default '{}',
      created_at timestamptz not null default agent_memory.now(),
      updated_at timestamptz not null default agent_memory.now(),
      primary key (organization_id, agent_id),
      constraint agent_memory_config_model_has_dimension
        check ((embedding_model is null) = (embedding_dimension is null))
    );
    alter table public.agent_memory_config enable row level security;
  end if;
end
$tables$;

do $tables$
begin
  if pg_catalog.to_regclass('agent_memory.config_history') is null then
    create table agent_memory.config_history (
      organization_id uuid not null references agent_memory.organizations on delete cascade,
      id uuid not null default agent_memory.uuid_v7(),
      agent_id text check (char_length(agent_id) between 1 and 255),
      changed_at timestamptz not null default agent_memory.now(),
      changed_by text not null,
      before jsonb not null,
      after jsonb not null,
      primary key (organization_id, id)
    );
    create index config_history_agent_idx
      on agent_memory.config_history (organization_id, agent_id, id);
    alter table agent_memory.config_history enable row level security;
  end if;
end
$tables$;
comment on table public.agent_memory_config is 'Settings per agent; written by functions, read by the members of the organization.';
comment on column public.agent_memory_config.embedding_model is 'The model whose vectors this agent is recalled by; others beside it stand in agent_memory.models.';
comment on column public.agent_memory_config.languages is 'The languages other than English of the memories that this agent has stored, in which a question is asked too.';
comment on column public.agent_memory_config.embedding_dimension is 'The number of elements of those vectors.';
comment on column public.agent_memory_config.settings is 'What this agent sets itself, changed by configure_memory().';
comment on table agent_memory.config_history is 'The changes of settings: who changed what, when; never updated. Read by the members of the organization, written by configure_memory().';
comment on column agent_memory.config_history.agent_id is 'The agent whose settings were changed; null for those that hold for all agents.';
comment on column agent_memory.config_history.changed_by is 'The member who changed them, as in agent_memory.members.user_id.';
comment on column agent_memory.config_history.before is 'The settings that changed, by name, such as weights.meaning, with their earlier values; null for one that was not set.';
comment on column agent_memory.config_history.after is 'The same settings with their later values; null for one that is not set any more.';

select agent_memory.policy('public.agent_memory_config', 'members', 'nobody');

-- Reading settings ----------------------------------------------------------------------------

create or replace function agent_memory.merge_patch(target jsonb, patch jsonb)
returns jsonb
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  base jsonb := case when jsonb_typeof(target) = 'object' then target else '{}' end;
begin
  if jsonb_typeof(patch) is distinct from 'object' then
    return patch;
  end if;
  return base - array(select jsonb_object_keys(patch)) || (
    select coalesce(jsonb_object_agg(merged.key, merged.value), '{}')
    from (select p.key, agent_memory.merge_patch(base -> p.key, p.value) as value from jsonb_each(patch) as p) as merged
    where merged.value not in ('null', '{}'));
end
$$;
comment on function agent_memory.merge_patch(jsonb, jsonb) is
  'A document changed by a merge patch (RFC 7396): objects are merged, null removes, all else replaces. An object that holds nothing is left out.';

create or replace function agent_memory.built_in_settings()
returns jsonb
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('limit', 10, 'token_budget', 1200, 'half_life', 30, 'weights', (/* @weights */ '{}')::jsonb)
$$;
comment on function agent_memory.built_in_settings() is
  'What holds where nothing is set: the hits of a recall, the tokens of a prompt, the half-life of recency in days, the weight of each signal.';

create or replace function agent_memory.effective_settings(organization_id uuid, agent_id text)
returns jsonb
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  built_in constant jsonb := agent_memory.built_in_settings();
  found record;
  told jsonb;
begin
  select o.agent_settings as of_all, coalesce(c.settings, '{}') as of_agent into found
    from agent_memory.organizations as o
    left join public.agent_memory_config as c
      on c.organization_id = effective_settings.organization_id and c.agent_id = effective_settings.agent_id
    where o.organization_id = effective_settings.organization_id;
  told := case
    when found.of_agent = '{}' then found.of_all
    when found.of_all = '{}' then found.of_agent
    else agent_memory.merge_patch(found.of_all, found.of_agent) end;
  return built_in || told || case
    when told ? 'weights' then jsonb_build_object('weights', built_in -> 'weights' || (told -> 'weights'))
    else '{}' end;
end
$$;
comment on function agent_memory.effective_settings(uuid, text) is
  'The settings that an agent works by: its own, else its organization''s, else those built in; without an agent, the organization''s.';

create or replace function agent_memory.weights_problem(weights jsonb)
returns text
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case when jsonb_typeof(weights) not in ('object', 'null') then 'weights must be an object of signals and numbers' else (
    select min(case
        when not agent_memory.built_in_settings() -> 'weights' ? w.key then format(
          'unknown signal "%s" in weights; there are %s', left(w.key, 60),
          (select string_agg(k.name, ', ' order by k.name)
           from jsonb_object_keys(agent_memory.built_in_settings() -> 'weights') as k (name)))
        -- A smaller one would underflow as a real.
        when w.value > '0' and w.value < '0.0001' then format('weights.%s must be 0, or at least 0.0001', w.key)
        else agent_memory.number_problem('weights.' || w.key, w.value, 0, 10, false)
      end)
    from jsonb_each(case when jsonb_typeof(weights) = 'object' then weights end) as w) end
$$;
comment on function agent_memory.weights_problem(jsonb) is
  'Why weights can''t be set; null if they can. The signals are those of built_in_settings().';

create or replace function agent_memory.retention_problem(retention jsonb)
returns text
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case when jsonb_typeof(retention) not in ('object', 'null') then 'retention must be an object of max_age, max_count, expired and action' else (
    select min(case
        when r.key = 'max_count' then agent_memory.number_problem('retention.max_count', r.value, 1, 100000000, true)
        when r.key = 'expired' then agent_memory.number_problem('retention.expired', r.value, 0, 36500, true)
        when r.key = 'action' then case
          when r.value not in ('null', '"forget"', '"erase"') then 'retention.action must be forget or erase' end
        when r.key <> 'max_age' then format('unknown setting "%s" in retention', left(r.key, 60))
        when jsonb_typeof(r.value) not in ('object', 'null') then 'retention.max_age must be an object of kinds and days'
        else (
          select min(case
              when a.key not in ('message', 'fact', 'preference', 'event', 'procedure', 'summary', 'note')
                then format('unknown kind "%s" in retention.max_age', left(a.key, 60))
              else agent_memory.number_problem('retention.max_age.' || a.key, a.value, 1, 36500, true)
            end)
          from jsonb_each(case when jsonb_typeof(r.value) = 'object' then r.value end) as a)
      end)
    from jsonb_each(case when jsonb_typeof(retention) = 'object' then retention end) as r) end
$$;
comment on function agent_memory.retention_problem(jsonb) is 'Why a retention can''t be set; null if it can.';

create or replace function agent_memory.settings_problem(settings jsonb)
returns text
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case when jsonb_typeof(settings) <> 'object' then 'settings must be an object' else (
    select min(case s.key
        when 'weights' then agent_memory.weights_problem(s.value)
        when 'half_life' then case
          when agent_memory.number_problem('half_life', s.value, 0.01, 36500, false) is not null
            then 'half_life must be days, from 0.01 to 36500, or an ISO 8601 duration such as P30D' end
        when 'limit' then agent_memory.number_problem('limit', s.value, 1, 1000, true)
        when 'token_budget' then agent_memory.number_problem('token_budget', s.value, 1, 100000, true)
        when 'language' then case
          when jsonb_typeof(s.value) <> 'null' and s.value <> '"simple"' and (
            jsonb_typeof(s.value) <> 'string' or agent_memory.text_config(s.value #>> '{}') = 'pg_catalog.simple'::regconfig)
            then format('language %s has no text search configuration here; simple is for all others', left(s.value::text, 60)) end
        when 'visibility' then case
          when s.value not in ('null', '"private"', '"agent"', '"organization"')
            then 'visibility must be private, agent or organization' end
        when 'retention' then agent_memory.retention_problem(s.value)
        else format('unknown setting "%s"', left(s.key, 60))
      end)
    from jsonb_each(case when jsonb_typeof(settings) = 'object' then settings end) as s) end
$$;
comment on function agent_memory.settings_problem(jsonb) is
  'Why settings, or changes of them, in which null removes, can''t be made; null if they can.';

-- Whoever writes the tables themselves is held to the same.
do $constraints$
declare
  held record;
begin
  for held in
    select * from (values
      ('public.agent_memory_config', 'agent_memory_config_settings_hold', 'settings'),
      ('agent_memory.organizations', 'organizations_settings_hold', 'agent_settings')) as h (target, name, field)
  loop
    if not exists (select from pg_constraint as c where c.conrelid = held.target::regclass and c.conname = held.name) then
      execute format(
        'alter table %1$s add constraint %2$I check (%3$I = ''{}'' or agent_memory.settings_problem(%3$I) is null and jsonb_strip_nulls(%3$I) = %3$I)',
        held.target, held.name, held.field);
    end if;
  end loop;
end
$constraints$;

create or replace function agent_memory.days(duration text)
returns numeric
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case
    when duration ~ '^P(?=[0-9T])([0-9]{1,3}Y)?([0-9]{1,4}M)?([0-9]{1,4}W)?([0-9]{1,5}([.][0-9]{1,6})?D)?(T(?=[0-9])([0-9]{1,6}H)?([0-9]{1,7}M)?([0-9]{1,8}S)?)?$'
      then trim_scale(round((extract(epoch from duration::interval) / 86400)::numeric, 6))
  end
$$;
comment on function agent_memory.days(text) is
  'An ISO 8601 duration, such as P30D or PT12H, in days, to a tenth of a second; a month has 30, a year 365.25. Null for any other text.';

create or replace function agent_memory.checked_settings(changes jsonb)
returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  problem text;
begin
  if jsonb_typeof(changes) is distinct from 'object' or not agent_memory.is_safe_json(changes) then
    problem := 'changes must be an object of settings and their new values, of at most 64 KiB and 32 levels';
  elsif jsonb_typeof(changes -> 'half_life') = 'string' then
    changes := changes || jsonb_build_object('half_life', coalesce(to_jsonb(agent_memory.days(changes ->> 'half_life')), changes -> 'half_life'));
  end if;
  problem := coalesce(problem, agent_memory.settings_problem(changes));
  if problem is not null then
    raise exception using errcode = 'PM003', message = problem,
      hint = case when changes ? 'embedding_model'
        then 'The embedding model is settled by the first vector that an agent stores.'
        else 'Settings are weights, half_life, limit, token_budget, language, visibility and retention; null removes one.' end;
  end if;
  return changes;
end
$$;
comment on function agent_memory.checked_settings(jsonb) is
  'Changes of settings, a duration turned into days; raises PM003, with the reason, if they can''t be made.';

create or replace function agent_memory.leaves(settings jsonb)
returns table (setting text, value jsonb)
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  with recursive nodes as (
    select e.key as setting, e.value from jsonb_each(settings) as e
    union all
    select n.setting || '.' || e.key, e.value
    from nodes as n
    cross join lateral jsonb_each(case when jsonb_typeof(n.value) = 'object' then n.value end) as e
  )
  select n.setting, n.value from nodes as n where jsonb_typeof(n.value) <> 'object'
$$;
comment on function agent_memory.leaves(jsonb) is 'The single settings of a document, those inside of others by names such as weights.meaning.';

create or replace function agent_memory.all_built_in_settings()
returns jsonb
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select agent_memory.built_in_settings() || '{"language": null, "visibility": null, "embedding_model": null}'
$$;
comment on function agent_memory.all_built_in_settings() is
  'What holds where nothing is set. Null is decided for each memory: its language, and its visibility, by whether it is about a user.';

-- Configuring ---------------------------------------------------------------------------------

create or replace function agent_memory.require_configurer(agent_id text)
returns agent_memory.principal
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  caller agent_memory.principal := agent_memory.require_member('administer');
begin
  if caller.role in ('owner', 'admin') or caller.program = agent_id then
    return caller;
  elsif caller.role = 'agent' and agent_id is null and not exists (
      select from agent_memory.members as m
      where m.organization_id = caller.organization_id and m.role in ('owner', 'admin'))
      -- Who replaced memberships() keeps owners and admins where nobody here can ask for them.
      and exists (
        select from pg_proc as p
        where p.oid = 'agent_memory.memberships(text)'::regprocedure and regexp_replace(p.prosrc, '\s+', ' ', 'g') =
          ' select m.organization_id, m.role from agent_memory.members as m where m.user_id operator(pg_catalog.=) member ') then
    -- Such as the embedded server's, of a developer who never named any.
    return caller;
  end if;
  raise exception using
    errcode = 'PM002',
    message = format('%s may not change the settings of %s', caller.role, coalesce('agent ' || agent_id, 'all agents')),
    hint = 'Owners and admins may. A program without an API key may change its own, and those of all agents while the organization has neither owner nor admin.';
end
$$;
comment on function agent_memory.require_configurer(text) is
  'The verified caller if it may configure an agent, or, with none, all of them; else PM001 or PM002. An API key never may.';

create or replace function public.configure_memory(agent_id text, changes jsonb)
returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  caller agent_memory.principal := agent_memory.require_configurer(agent_id);
  patch jsonb := agent_memory.checked_settings(changes);
  old jsonb;
  new jsonb;
begin
  if char_length(agent_id) not between 1 and 255 then
    raise exception using errcode = 'PM003', message = 'agent_id must be a text of 1 to 255 characters, or null for all agents';
  end if;
  -- The row's lock makes those who configure the same wait for each other.
  if agent_id is null then
    select o.agent_settings into old from agent_memory.organizations as o
      where o.organization_id = caller.organization_id for no key update;
  else
    insert into public.agent_memory_config as c (organization_id, agent_id)
      values (caller.organization_id, configure_memory.agent_id) on conflict do nothing;
    select c.settings into old from public.agent_memory_config as c
      where c.organization_id = caller.organization_id and c.agent_id = configure_memory.agent_id for no key update;
  end if;
  new := agent_memory.merge_patch(old, patch);
  if new <> old then
    update agent_memory.organizations as o set agent_settings = new, updated_at = agent_memory.now()
      where o.organization_id = caller.organization_id and agent_id is null;
    update public.agent_memory_config as c set settings = new, updated_at = agent_memory.now()
      where c.organization_id = caller.organization_id and c.agent_id = configure_memory.agent_id;
    insert into agent_memory.config_history as h (organization_id, agent_id, changed_at, changed_by, before, after)
    select caller.organization_id, configure_memory.agent_id, agent_memory.now(), caller.subject,
           jsonb_object_agg(setting, b.value), jsonb_object_agg(setting, a.value)
    from agent_memory.leaves(old) as b full join agent_memory.leaves(new) as a using (setting)
    where b.value is distinct from a.value;
  end if;
  return jsonb_strip_nulls(agent_memory.merge_patch(
    agent_memory.all_built_in_settings(), agent_memory.effective_settings(caller.organization_id, agent_id)));
end
$$;
comment on function public.configure_memory(text, jsonb) is
  'Changes the settings of an agent, or, with a null agent_id, those that hold for all agents that don''t set them themselves; answers the settings that hold after it. changes is a merge patch (RFC 7396): null removes a setting. Settings: weights, half_life, limit, token_budget, language, visibility, retention. For owners and admins, and for a program without an API key its own. Raises PM001, PM002, PM003.';

create or replace function public.memory_config(agent_id text)
returns setof agent_memory.setting
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller agent_memory.principal := agent_memory.require_member('recall');
begin
  return query
    select setting, nullif(coalesce(a.value, o.value, b.value), 'null'),
           case when a.value is not null then 'agent' when o.value is not null then 'organization' else 'built in' end,
           nullif(b.value, 'null')
    from agent_memory.leaves(agent_memory.all_built_in_settings()) as b
    full join agent_memory.leaves((
      select s.agent_settings from agent_memory.organizations as s
      where s.organization_id = caller.organization_id)) as o using (setting)
    full join agent_memory.leaves((
      select s.settings || jsonb_strip_nulls(jsonb_build_object('embedding_model', s.embedding_model))
      from public.agent_memory_config as s
      where s.organization_id = caller.organization_id and s.agent_id = memory_config.agent_id)) as a using (setting)
    order by setting;
end
$$;
comment on function public.memory_config(text) is
  'Each setting that holds for an agent, or, with a null agent_id, for all agents that don''t set it themselves, and where it comes from. With the model of the agent''s vectors, which is settled by the first of them. For members. Raises PM001, PM002.';

create or replace function public.memory_config_history(agent_id text)
returns setof agent_memory.config_change
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller agent_memory.principal := agent_memory.require_member('recall');
begin
  return query
    select h.agent_id, h.changed_at, h.changed_by, h.before, h.after
    from agent_memory.config_history as h
    where h.organization_id = caller.organization_id
      and (h.agent_id is null or h.agent_id = memory_config_history.agent_id)
    order by h.id;
end
$$;
comment on function public.memory_config_history(text) is
  'Who changed the settings of an agent, and those that hold for all agents, oldest first; with a null agent_id the latter alone. For members. Raises PM001, PM002.';
