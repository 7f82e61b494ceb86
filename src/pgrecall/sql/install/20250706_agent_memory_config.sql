-- pgrecall: 20250706_agent_memory_config.sql, after 20230901_memory_context_management.sql.

set search_path = pg_catalog, pg_temp;
set check_function_bodies = off;
set jit = off;
select pg_catalog.set_config('lock_timeout',
  coalesce(nullif(pg_catalog.current_setting('pgrecall.lock_timeout', true), ''), '5s'), false);

select agent_memory.begin_migration('20250706_agent_memory_config.sql', '0.1.0');

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
  select jsonb_build_object('limit', 10, 'token_budget', 1200, 'half_life', 30, 'weights', ('{"words": 3.1, "window_words": 1.8, "meaning": 0.5, "near_meaning": 2.0, "context_meaning": 1.9, "date": 4.7, "speaker": 2.8, "user_words": 4.4, "wish": 3.8, "help": 2.6, "time_words": 1.8, "opening": 2.2, "answer": 0.8, "statement": 0.8, "digits": 0.6, "recency": 0.1, "latest": 1.0, "importance": 0.4}')::jsonb)
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

-- Embedding models ---------------------------------------------------------------------------

select agent_memory.define_type('model_status', '
  agent_id text, model text, dimension integer, state text, memories bigint, vectors bigint,
  missing bigint, changed_at timestamptz');
comment on type agent_memory.model_status is
  'One model of an agent: its state (current, next, former, dropped; none where the agent has no model), how many memories the agent has, how many of them have a vector of it and how many lack one, and since when it is in that state (null for the current one).';

select agent_memory.define_type('missing_embedding', 'id uuid, text text, digest text');
comment on type agent_memory.missing_embedding is
  'A memory without a vector: its id, the text that the vector is to be made of, and a digest of that text, which is given back with the vector.';

select agent_memory.define_type('stored_embedding', 'ordinal integer, id uuid, status text, code text, reason text');
comment on type agent_memory.stored_embedding is
  'What became of one vector: its ordinal from 1, the memory''s id, and a status: stored; skipped (there was nothing to do, the text has changed, or there is no such memory); rejected. code says which, reason says it in words.';

do $tables$
begin
  if pg_catalog.to_regclass('agent_memory.models') is null then
    create table agent_memory.models (
      organization_id uuid not null references agent_memory.organizations on delete cascade,
      agent_id text not null check (char_length(agent_id) between 1 and 255),
      model text not null check (char_length(model) between 1 and 255),
      dimension integer not null check (dimension between 1 and 16000),
      state text not null check (state in ('next', 'former', 'dropped')),
      changed_at timestamptz not null default agent_memory.now(),
      changed_by text not null,
      primary key (organization_id, agent_id, model)
    );
    create index models_model_idx on agent_memory.models (organization_id, model);
    alter table agent_memory.models enable row level security;
  end if;
end
$tables$;
comment on table agent_memory.models is 'The embedding models of an agent besides its current one; written by functions, read by the members of the organization.';
comment on column agent_memory.models.state is 'next: being filled in. former: current until a switch. dropped: its vectors are gone, or going, and no more are taken.';
comment on column agent_memory.models.changed_by is 'Who brought it into this state: the subject of the claims.';

-- Who, and what -------------------------------------------------------------------------------

create or replace function agent_memory.kept_agent(caller agent_memory.principal, agent_id text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  agent text := coalesce(kept_agent.agent_id, caller.program);
begin
  if caller.role not in ('owner', 'admin') and (caller.program is null or agent <> caller.program) then
    raise exception using errcode = 'PM002',
      message = 'the embedding models of an agent are for owners, admins and the agent''s own program';
  elsif coalesce(char_length(agent), 0) not between 1 and 255 then
    raise exception using errcode = 'PM003', message = 'agent_id must name an agent, in 1 to 255 characters';
  end if;
  return agent;
end
$$;
comment on function agent_memory.kept_agent(agent_memory.principal, text) is
  'The agent whose models are meant, by default the caller''s own; PM002 if they are not for this caller, PM003 if none is named.';

create or replace function agent_memory.count_missing(organization_id uuid, agent_id text, model text)
returns table (memories bigint, missing bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set jit = off
-- Where statistics are older than the vectors, a nested loop is chosen that takes minutes.
set enable_nestloop = off
set enable_seqscan = off
as $$
begin
  return query
    select count(*), count(*) filter (where e.memory_id is null)
    from public.ai_memories as m
    left join agent_memory.embeddings as e
      on e.organization_id = count_missing.organization_id and e.model = count_missing.model and e.memory_id = m.id
     and e.piece = 0
    where m.organization_id = count_missing.organization_id and m.agent_id = count_missing.agent_id;
end
$$;
comment on function agent_memory.count_missing(uuid, text, text) is
  'How many memories an agent holds, forgotten and superseded ones included, since those can be recalled again; and how many of them have no vector of a model.';

-- Filling in ----------------------------------------------------------------------------------

create or replace function public.add_memory_model(model text, dimension integer, agent_id text default null)
returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  caller agent_memory.principal := agent_memory.require_member('administer');
  agent text := agent_memory.kept_agent(caller, add_memory_model.agent_id);
  current text;
  counted record;
begin
  perform agent_memory.require_vectors();
  if coalesce(char_length(add_memory_model.model), 0) not between 1 and 255
     or coalesce(add_memory_model.dimension, 0) not between 1 and 16000 then
    raise exception using errcode = 'PM003', message = 'a model needs a name of up to 255 characters and a dimension from 1 to 16000';
  end if;
  perform from agent_memory.organizations as o where o.organization_id = caller.organization_id for key share;
  select c.embedding_model into current from public.agent_memory_config as c
    where c.organization_id = caller.organization_id and c.agent_id = agent;
  if current <> add_memory_model.model then
    insert into agent_memory.models as m (organization_id, agent_id, model, dimension, state, changed_at, changed_by)
    values (caller.organization_id, agent, add_memory_model.model, add_memory_model.dimension, 'next', agent_memory.now(), caller.subject)
    on conflict (organization_id, agent_id, model) do update
      set dimension = excluded.dimension, state = excluded.state, changed_at = excluded.changed_at, changed_by = excluded.changed_by
      where m.state = 'dropped';
  end if;
  -- An agent without a model is settled on this one, as by a first vector.
  perform agent_memory.settle_model(caller.organization_id, agent, add_memory_model.model, add_memory_model.dimension);
  perform agent_memory.refuse_dimension(caller.organization_id, add_memory_model.model, add_memory_model.dimension);
  select * into counted from agent_memory.count_missing(caller.organization_id, agent, add_memory_model.model);
  return jsonb_build_object('agent_id', agent, 'model', add_memory_model.model, 'is_current',
    current is null or current = add_memory_model.model, 'memories', counted.memories, 'missing', counted.missing);
end
$$;
comment on function public.add_memory_model(text, integer, text) is
  'Has another model filled in beside an agent''s current one: from now on memories may be written with its vectors too. An agent without a model is settled on this one. Safe to repeat. Answers {"agent_id", "model", "is_current", "memories", "missing"}. For owners, admins and the agent''s own program without a key. Raises PM001, PM002, PM003, PM005, PM007.';

create or replace function public.missing_memory_embeddings(
  model text, agent_id text default null, after uuid default null, match_limit integer default 100)
returns setof agent_memory.missing_embedding
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set jit = off
-- A page is a stretch of the primary key.
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  caller agent_memory.principal := agent_memory.require_member('administer');
  agent text := agent_memory.kept_agent(caller, missing_memory_embeddings.agent_id);
begin
  perform agent_memory.require_vectors();
  if coalesce(match_limit, 0) not between 1 and 1000 then
    raise exception using errcode = 'PM003', message = 'match_limit must be from 1 to 1000';
  elsif model is null then
    raise exception using errcode = 'PM003', message = 'model must name an embedding model';
  end if;
  return query
    select m.id, agent_memory.embedded_text(m.speaker, m.content), agent_memory.text_digest(m.speaker, m.content)
    from (
      select m.id, m.speaker, m.content, sum(octet_length(m.content)) over (order by m.id rows unbounded preceding) as octets
      from public.ai_memories as m
      where m.organization_id = caller.organization_id and m.agent_id = agent
        and (missing_memory_embeddings.after is null or m.id > missing_memory_embeddings.after)
        and agent_memory.may_read(m.visibility, m.user_id, m.agent_id, caller.person, caller.program)
        and agent_memory.may_write(m.visibility, m.user_id, m.agent_id, caller.role, caller.person, caller.program)
        and not exists (
          select from agent_memory.embeddings as e
          where e.organization_id = caller.organization_id and e.model = missing_memory_embeddings.model and e.memory_id = m.id
          -- Looked up for each memory: joined, all vectors might be read for each page.
          offset 0)
      order by m.id limit match_limit) as m
    where m.octets <= 16000000 or m.octets = octet_length(m.content)
    order by m.id;
end
$$;
comment on function public.missing_memory_embeddings(text, text, uuid, integer) is
  'The memories of an agent that have no vector of a model, in the order of their ids, those after the id `after`: 1 to 1000 of them, and fewer where their texts have more than 16 MB. None: there are no more. Only what the caller may read and change: the private memories of others are for the agent''s own program alone. For owners, admins and the agent''s own program without a key. Raises PM001, PM002, PM003, PM007.';

create or replace function agent_memory.embedding_answers(organization_id uuid, ids uuid[], model text, embeddings jsonb)
returns setof agent_memory.stored_embedding
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select i.ordinal, i.id, case c.code when 'stored' then 'stored' when 'invalid_embedding' then 'rejected' else 'skipped' end,
           c.code, r.reason
    from (select e.ordinal::integer as ordinal, e.item ->> 'digest' as digest, known.id,
                 row_number() over (partition by known.id order by e.ordinal) as place,
                 (e.item ->> 'embedding') is not null and agent_memory.is_storable(e.item ->> 'embedding') as is_vector,
                 agent_memory.piece_refusal(e.item) as refusal
          from jsonb_array_elements(embeddings) with ordinality as e (item, ordinal)
          left join unnest(embedding_answers.ids) as known (id) on known.id::text = lower(e.item ->> 'id')) as i
    cross join lateral (select case
      when not i.is_vector or i.refusal is not null then 'invalid_embedding'
      when i.id is null then 'not_found'
      when i.place > 1 or exists (
          select from agent_memory.embeddings as e
          where e.organization_id = embedding_answers.organization_id and e.model = embedding_answers.model and e.memory_id = i.id
          offset 0)
        then 'has_vector'
      when i.digest is distinct from (
          select agent_memory.text_digest(m.speaker, m.content) from public.ai_memories as m
          where m.organization_id = embedding_answers.organization_id and m.id = i.id) then 'text_changed'
      else 'stored'
    end offset 0) as c (code)
    cross join lateral (select case c.code
      when 'invalid_embedding' then coalesce(case when i.is_vector then i.refusal end,
        'embedding must be an array of numbers from -65504 to 65504, not all of them zero or nearly so')
      when 'not_found' then 'no such memory of this agent, or none that the caller may change'
      when 'has_vector' then 'it has a vector of this model already'
      when 'text_changed' then 'its text has changed; ask for it again'
    end) as r (reason)
    order by i.ordinal;
end
$$;
comment on function agent_memory.embedding_answers(uuid, uuid[], text, jsonb) is
  'What becomes of each of the vectors that store_memory_embeddings() is given, for the memories `ids` that it holds locked.';

create or replace function public.store_memory_embeddings(model text, embeddings jsonb, agent_id text default null)
returns setof agent_memory.stored_embedding
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller agent_memory.principal := agent_memory.require_member('administer');
  agent text := agent_memory.kept_agent(caller, store_memory_embeddings.agent_id);
  ids uuid[];
  answers agent_memory.stored_embedding[];
begin
  perform agent_memory.require_vectors();
  if jsonb_typeof(embeddings) is distinct from 'array' or jsonb_array_length(embeddings) > 1000 then
    raise exception using errcode = 'PM003', message = 'embeddings must be an array of at most 1,000 objects',
      hint = 'Such as [{"id": "…", "digest": "…", "embedding": [0.1, 0.2]}], the first two as missing_memory_embeddings() gave them.';
  elsif coalesce(char_length(model), 0) not between 1 and 255 then
    raise exception using errcode = 'PM003', message = 'model must name an embedding model';
  end if;
  ids := array(
    select distinct lower(item ->> 'id')::uuid from jsonb_array_elements(embeddings) as item
    where item ->> 'id' ~* '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$');
  -- Locked, so that no text changes and nobody else stores the same vector meanwhile.
  for attempt in 1 .. 2 loop
    ids := array(
      select m.id from public.ai_memories as m
      where m.organization_id = caller.organization_id and m.id = any (ids) and m.agent_id = agent
        and agent_memory.may_read(m.visibility, m.user_id, m.agent_id, caller.person, caller.program)
        and agent_memory.may_write(m.visibility, m.user_id, m.agent_id, caller.role, caller.person, caller.program));
    perform agent_memory.lock_memories(caller.organization_id, ids, false) where attempt = 1;
  end loop;
  answers := array(select agent_memory.embedding_answers(caller.organization_id, ids, model, embeddings));
  perform agent_memory.add_vectors(
    caller.organization_id, agent, model, array_agg(a.id order by a.id, v.place),
    array_agg(row(v.vector)::agent_memory.vector_value order by a.id, v.place), array_agg(v.place::integer - 1 order by a.id, v.place))
  from unnest(answers) as a
  cross join lateral unnest(agent_memory.item_vectors(embeddings -> a.ordinal - 1)) with ordinality as v (vector, place)
  where a.status = 'stored';
  return query select * from unnest(answers);
end
$$;
comment on function public.store_memory_embeddings(text, jsonb, text) is
  'Stores vectors of a model that was added, or is current: a list of {"id", "digest", "embedding"}, with piece_embeddings for a long text, the first two as missing_memory_embeddings() gave them, and answers for each. A memory that has a vector meanwhile, or another text, is skipped, so any number of clients may do this at once. For owners, admins and the agent''s own program without a key. Raises PM001, PM002, PM003, PM005, PM007.';

-- Switching and dropping ----------------------------------------------------------------------

create or replace function agent_memory.refuse_gaps(organization_id uuid, agent_id text, model text, allowed integer)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  counted record;
begin
  select * into counted from agent_memory.count_missing(refuse_gaps.organization_id, refuse_gaps.agent_id, refuse_gaps.model);
  if counted.missing > allowed then
    raise exception using errcode = 'PM007',
      message = format('%s of %s memories of agent %s have no vector of %s', counted.missing, counted.memories, refuse_gaps.agent_id, refuse_gaps.model),
      hint = 'Fill them in first: pgrecall embeddings backfill, run for the agent. Or allow some gaps (allow_missing), which are found by their words alone until they are filled in.';
  end if;
end
$$;
comment on function agent_memory.refuse_gaps(uuid, text, text, integer) is
  'Raises PM007, with counts, while more memories of an agent than are allowed lack a vector of a model.';

create or replace function public.switch_memory_model(model text, agent_id text default null, allow_missing integer default 0)
returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  caller agent_memory.principal := agent_memory.require_member('administer');
  agent text := agent_memory.kept_agent(caller, switch_memory_model.agent_id);
  former record;
  wanted record;
  counted record;
begin
  perform agent_memory.require_vectors();
  if coalesce(allow_missing, -1) < 0 then
    raise exception using errcode = 'PM003', message = 'allow_missing must be 0 or more';
  elsif exists (
      select from agent_memory.models as m
      where m.organization_id = caller.organization_id and m.agent_id = agent and m.model = switch_memory_model.model
        and m.state <> 'dropped') then
    -- Counted once before anybody has to wait, and once while nobody writes.
    perform agent_memory.refuse_gaps(caller.organization_id, agent, switch_memory_model.model, allow_missing);
  end if;
  perform from agent_memory.organizations as o where o.organization_id = caller.organization_id for update;
  select c.embedding_model, c.embedding_dimension into former from public.agent_memory_config as c
    where c.organization_id = caller.organization_id and c.agent_id = agent;
  if former.embedding_model is distinct from switch_memory_model.model then
    select m.model, m.dimension into wanted from agent_memory.models as m
      where m.organization_id = caller.organization_id and m.agent_id = agent and m.model = switch_memory_model.model
        and m.state <> 'dropped';
    if wanted.model is null or former.embedding_model is null then
      raise exception using errcode = 'PM004', message = format('agent %s has no model %s to switch to', agent, switch_memory_model.model),
        hint = 'Fill it in first: pgrecall embeddings backfill.';
    end if;
    perform agent_memory.refuse_gaps(caller.organization_id, agent, switch_memory_model.model, allow_missing);
    update public.agent_memory_config as c
      set embedding_model = wanted.model, embedding_dimension = wanted.dimension, updated_at = agent_memory.now()
      where c.organization_id = caller.organization_id and c.agent_id = agent;
    delete from agent_memory.models as m
      where m.organization_id = caller.organization_id and m.agent_id = agent and m.model in (wanted.model, former.embedding_model);
    insert into agent_memory.models as m (organization_id, agent_id, model, dimension, state, changed_by)
      values (caller.organization_id, agent, former.embedding_model, former.embedding_dimension, 'former', caller.subject);
  end if;
  select * into counted from agent_memory.count_missing(caller.organization_id, agent, switch_memory_model.model);
  return jsonb_build_object('agent_id', agent, 'model', switch_memory_model.model,
    'former', nullif(former.embedding_model, switch_memory_model.model), 'memories', counted.memories, 'missing', counted.missing);
end
$$;
comment on function public.switch_memory_model(text, text, integer) is
  'Makes a model that was added, or was current before, an agent''s current one, at once; the former one stays beside it, and recall and writes with it go on to work. Refused while more than allow_missing memories lack a vector of the model. Writes under way are waited for, and new ones wait for the count. Answers {"agent_id", "model", "former", "memories", "missing"}; former is null if it was current already. For owners, admins and the agent''s own program without a key. Raises PM001 to PM004, PM007.';

create or replace function public.drop_memory_model(model text, agent_id text default null, vector_limit integer default 10000)
returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_nestloop = off
set enable_seqscan = off
set enable_bitmapscan = off
as $$
#variable_conflict use_column
declare
  caller agent_memory.principal := agent_memory.require_member('administer');
  agent text := agent_memory.kept_agent(caller, drop_memory_model.agent_id);
  doomed uuid[];
begin
  perform agent_memory.require_vectors();
  if coalesce(vector_limit, 0) not between 1 and 100000 then
    raise exception using errcode = 'PM003', message = 'vector_limit must be from 1 to 100000';
  end if;
  perform from agent_memory.organizations as o where o.organization_id = caller.organization_id for update;
  if exists (select from public.agent_memory_config as c
             where c.organization_id = caller.organization_id and c.agent_id = agent and c.embedding_model = drop_memory_model.model) then
    raise exception using errcode = 'PM007', message = format('%s is the model that agent %s uses', drop_memory_model.model, agent),
      hint = 'Switch to another one first: pgrecall embeddings switch.';
  end if;
  update agent_memory.models as m
    set state = 'dropped', changed_at = agent_memory.now(), changed_by = caller.subject
    where m.organization_id = caller.organization_id and m.agent_id = agent and m.model = drop_memory_model.model
      and m.state <> 'dropped';
  -- The first of them by the primary key, and one stretch of it for the deletion.
  doomed := array(
    select e.memory_id from agent_memory.embeddings as e
    where e.organization_id = caller.organization_id and e.model = drop_memory_model.model and e.piece = 0 and exists (
      select from public.ai_memories as m
      where m.organization_id = caller.organization_id and m.id = e.memory_id and m.agent_id = agent
      offset 0)
    order by e.memory_id limit vector_limit);
  delete from agent_memory.embeddings as e
    using unnest(doomed) as d (id)
    where e.organization_id = caller.organization_id and e.model = drop_memory_model.model and e.memory_id = d.id
      and e.memory_id between doomed[1] and doomed[cardinality(doomed)];
  if doomed = '{}' and not exists (
      select from agent_memory.models as m
      where m.organization_id = caller.organization_id and m.agent_id = agent and m.model = drop_memory_model.model) then
    raise exception using errcode = 'PM004', message = format('agent %s has no model %s', agent, drop_memory_model.model);
  end if;
  return jsonb_build_object('agent_id', agent, 'model', drop_memory_model.model, 'vectors', cardinality(doomed),
    'is_done', cardinality(doomed) < vector_limit);
end
$$;
comment on function public.drop_memory_model(text, text, integer) is
  'Ends a model that is not an agent''s current one: its vectors are taken no more, and up to vector_limit of them go. Repeat until is_done, so that no transaction is long. Answers {"agent_id", "model", "vectors", "is_done"}. For owners, admins and the agent''s own program without a key. Raises PM001 to PM004, PM007.';

-- How far it has come -------------------------------------------------------------------------

create or replace function public.memory_models(agent_id text default null)
returns setof agent_memory.model_status
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_nestloop = off
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
  caller agent_memory.principal := agent_memory.require_member('administer');
  -- Owners and admins who name no agent see all of them.
  agent text := case when memory_models.agent_id is not null or caller.role not in ('owner', 'admin')
    then agent_memory.kept_agent(caller, memory_models.agent_id) end;
begin
  perform agent_memory.require_vectors();
  return query
    with held as (
      select m.agent_id, count(*) as memories
      from public.ai_memories as m
      where m.organization_id = caller.organization_id and (agent is null or m.agent_id = agent)
      group by m.agent_id
    ), stored as (
      select m.agent_id, e.model, count(*) as vectors
      from agent_memory.embeddings as e
      join public.ai_memories as m on m.organization_id = caller.organization_id and m.id = e.memory_id
      where e.organization_id = caller.organization_id and e.piece = 0 and (agent is null or m.agent_id = agent)
      group by m.agent_id, e.model
    ), settled as (
      select c.agent_id, c.embedding_model as model, c.embedding_dimension as dimension, 'current' as state,
             null::timestamptz as changed_at
      from public.agent_memory_config as c
      where c.organization_id = caller.organization_id and c.embedding_model is not null
      union all
      select b.agent_id, b.model, b.dimension, b.state, b.changed_at
      from agent_memory.models as b
      where b.organization_id = caller.organization_id
    ), models as (
      select agent_id, model, s.dimension, coalesce(s.state, 'dropped') as state, coalesce(v.vectors, 0) as vectors,
             s.changed_at
      from settled as s full join stored as v using (agent_id, model)
      where (agent is null or agent_id = agent) and (v.vectors is not null or s.state <> 'dropped')
    )
    select agent_id, m.model, m.dimension, coalesce(m.state, 'none'), coalesce(h.memories, 0),
           coalesce(m.vectors, 0), coalesce(h.memories, 0) - coalesce(m.vectors, 0), m.changed_at
    from models as m full join held as h using (agent_id)
    order by agent_id, array_position(array['current', 'next', 'former', 'dropped'], m.state), m.model;
end
$$;
comment on function public.memory_models(text) is
  'The models of an agent, by default the caller''s own (for owners and admins: of all agents), with counts of all memories that the agents hold. For owners, admins and the agent''s own program without a key. Raises PM001, PM002, PM003, PM007.';

-- Vectors of dropped models -------------------------------------------------------------------

create or replace function agent_memory.dropped_vectors()
returns table (organization_id uuid, agent_id text, model text, vectors bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  if not agent_memory.has_vector() then
    return;
  end if;
  return query
    select d.organization_id, d.agent_id, d.model, count(*)
    from agent_memory.models as d
    join agent_memory.embeddings as e on e.organization_id = d.organization_id and e.model = d.model
    join public.ai_memories as m on m.organization_id = d.organization_id and m.id = e.memory_id and m.agent_id = d.agent_id
    where d.state = 'dropped'
    group by d.organization_id, d.agent_id, d.model
    order by d.organization_id, d.agent_id, d.model;
end
$$;
comment on function agent_memory.dropped_vectors() is
  'How many vectors of dropped models are still there, of all organizations: drop_memory_model() was not repeated to its end.';

create or replace function agent_memory.delete_dropped(organization_id uuid, agent_id text, model text, match_limit integer)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  deleted bigint;
begin
  -- As drop_memory_model() does, so that a model that is added again meanwhile is left alone.
  perform from agent_memory.organizations as o where o.organization_id = delete_dropped.organization_id for update;
  delete from agent_memory.embeddings as e
    using (
      select v.memory_id from agent_memory.embeddings as v
      join public.ai_memories as m on m.organization_id = delete_dropped.organization_id and m.id = v.memory_id
      where v.organization_id = delete_dropped.organization_id and v.model = delete_dropped.model
        and m.agent_id = delete_dropped.agent_id and exists (
          select from agent_memory.models as d
          where d.organization_id = delete_dropped.organization_id and d.agent_id = delete_dropped.agent_id
            and d.model = delete_dropped.model and d.state = 'dropped')
      order by v.memory_id limit match_limit) as doomed
    where e.organization_id = delete_dropped.organization_id and e.model = delete_dropped.model
      and e.memory_id = doomed.memory_id;
  get diagnostics deleted = row_count;
  return deleted;
end
$$;
comment on function agent_memory.delete_dropped(uuid, text, text, integer) is
  'Deletes up to match_limit vectors of a model that an agent has dropped, and says how many. 0: none is left.';

select agent_memory.apply_rights();
select agent_memory.record_migration('20250706_agent_memory_config.sql', '0.1.0', '19e36692d8d890deacc16a6956eb92d8b42b3d6e01daf483744070749b1ff274');

reset lock_timeout;
reset jit;
reset check_function_bodies;
reset search_path;
