-- Values -------------------------------------------------------------------------------------

-- The codes of answers, by status. Programs decide by them; reasons are for people, and may change.
--
--   added       added, past_value (its slot has a later value), forgotten (imported as forgotten)
--   superseded  superseded
--   duplicate   known_id, known_key, known_message, same_text, imported_before
--   rejected    invalid_item, unknown_field, invalid_field, empty_content, recalled_content, too_long,
--               invalid_time, invalid_range, needs_user, invalid_embedding, not_permitted,
--               id_taken, key_taken, contended
--   erased      erased
--
-- Of vectors, by store_memory_embeddings():
--   stored      stored
--   skipped     has_vector, text_changed, not_found
--   rejected    invalid_embedding

select agent_memory.define_type('problem', 'code text, reason text');
comment on type agent_memory.problem is
  'What is wrong with an item: the code of the answer, and the reason in words.';

select agent_memory.define_type('remembered_memory', 'ordinal integer, id uuid, status text, code text, reason text');
comment on type agent_memory.remembered_memory is
  'What became of one item: its ordinal from 1, the memory''s id, and a status: added; duplicate (id is the memory that was there); superseded (added, and it ended the slot''s earlier value); rejected (id is null). code says exactly what happened, from the list in docs/errors.md; reason says it in words.';

select agent_memory.define_type('draft', '
  ordinal integer, id uuid, agent_id text, user_id text, context_key text, kind text, content text,
  speaker text, language text, slot text, importance real, confidence real, trust text, visibility text,
  metadata jsonb, occurred_at timestamptz, valid_from timestamptz, valid_to timestamptz,
  expires_at timestamptz, idempotency_key text, idempotency_digest bytea, dedup_key bytea, embedding_model text,
  is_identified boolean, is_timed boolean, context_id uuid, position bigint, code text, reason text,
  created_at timestamptz, superseded_by uuid, stated_valid_to timestamptz, forgotten_at timestamptz');
comment on type agent_memory.draft is
  'One item of remember_memories(), read and checked; code and reason are null unless it is refused; is_identified and is_timed say whether its id and its time were told; context_id is that of its conversation, once place_drafts() has settled it; position and forgotten_at are told by imports; created_at is null for now; superseded_by and stated_valid_to are for values of slots. Its vector, longer than all the rest, stays where it was.';

-- Clock ---------------------------------------------------------------------------------------

create or replace function agent_memory.now()
returns timestamptz
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  pretended text := nullif(current_setting('pgrecall.now', true), '');
begin
  if pretended is null
     or not exists (select from pg_catalog.pg_roles r
                    where r.rolname = 'pgrecall_test' and pg_has_role(session_user, r.oid, 'member')) then
    return pg_catalog.now();
  end if;
  return pretended::timestamptz;
end
$$;
comment on function agent_memory.now() is
  'The time of the transaction. Sessions of members of the role pgrecall_test may pretend another one by the setting pgrecall.now; everyone else''s setting is ignored.';

create or replace function agent_memory.uuid_v7(at timestamptz default pg_catalog.clock_timestamp())
returns uuid
language plpgsql volatile parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  micros constant bigint := extract(epoch from at) * 1000000;
  random constant bytea := uuid_send(gen_random_uuid());
begin
  -- RFC 9562, version 7: 48 bits of milliseconds, 12 bits of the fraction of the millisecond
  -- (its method 3), 62 random bits.
  return lpad(to_hex(micros / 1000), 12, '0')
    || '7' || lpad(to_hex((micros % 1000) * 4096 / 1000), 3, '0')
    || substr('89ab', 1 + (get_byte(random, 8) & 3), 1)
    || substr(encode(random, 'hex'), 18);
end
$$;
comment on function agent_memory.uuid_v7(timestamptz) is 'A UUID of version 7 of this time: later ones sort after earlier ones.';

-- Checks of values ----------------------------------------------------------------------------

create or replace function agent_memory.is_safe_json(value jsonb)
returns boolean
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Deeper or larger documents, and integers of thousands of digits, can be stored but break
  -- the clients that read them.
  return value = '{}'::jsonb
      or (pg_catalog.jsonb_typeof(value) = 'object'
          and pg_catalog.octet_length(value::text) <= 65536
          and not pg_catalog.jsonb_path_exists(value, 'strict $.**{32 to last}')
          and not pg_catalog.jsonb_path_exists(
            value, 'strict $.** ? (@.type() == "number" && (@ > 1e300 || @ < -1e300))'));
end
$$;
comment on function agent_memory.is_safe_json(jsonb) is
  'Whether a document is an object of at most 64 KiB and 32 levels, with numbers from -1e300 to 1e300.';

create or replace function agent_memory.parse_time(value jsonb)
returns timestamptz
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
-- A time without a zone is UTC for every client, whatever its session's is.
set timezone = 'UTC'
as $$
declare
  parsed timestamptz;
begin
  if jsonb_typeof(value) is distinct from 'string' or value #>> '{}' !~ '^\d{4}-\d\d-\d\d' then
    return null;
  end if;
  parsed := (value #>> '{}')::timestamptz;
  return case when parsed between '0001-01-02Z' and '9999-12-30Z' then parsed end;
exception
  when data_exception then
    return null;
end
$$;
comment on function agent_memory.parse_time(jsonb) is 'A JSON string in ISO 8601 as a time, in UTC if it names no zone; null if it is anything else, or lies outside the years 1 to 9999.';

-- What may be set -----------------------------------------------------------------------------

create or replace function agent_memory.number_problem(name text, value jsonb, lowest numeric, highest numeric, is_whole boolean)
returns text
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case
    when jsonb_typeof(value) = 'null' then null
    when jsonb_typeof(value) <> 'number' or (value #>> '{}')::numeric not between lowest and highest
         or (is_whole and value #>> '{}' !~ '^[0-9]+$')
      then format('%s must be a %snumber from %s to %s', name, case when is_whole then 'whole ' end, lowest, highest)
  end
$$;
comment on function agent_memory.number_problem(text, jsonb, numeric, numeric, boolean) is
  'Why a value is no number of a range; null if it is one, or JSON''s null.';
