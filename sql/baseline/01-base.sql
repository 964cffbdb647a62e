-- What all the rest stands on: instants and ids, amounts as numbers and texts, and tables that only grow.

REVOKE CREATE ON SCHEMA public FROM PUBLIC;

CREATE FUNCTION instant(ms bigint) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN timestamptz '1970-01-01 00:00:00+00' + ms * interval '1 millisecond';
COMMENT ON FUNCTION instant IS 'Milliseconds since 1970 as an instant. Times come from the gate''s clock,
never from now().';

CREATE FUNCTION instant_ms(at timestamptz) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN floor(extract(epoch FROM at) * 1000)::bigint;
COMMENT ON FUNCTION instant_ms IS 'An instant in milliseconds since 1970, rounded down.';

CREATE FUNCTION instant_text(at timestamptz) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
COMMENT ON FUNCTION instant_text IS 'An instant in UTC, as RFC 3339 writes it, to the millisecond.';

CREATE FUNCTION uuid_floor(at timestamptz) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (lpad(to_hex(instant_ms(at)), 12, '0') || '00000000000000000000')::uuid;
COMMENT ON FUNCTION uuid_floor IS 'The lowest payment id of an instant: a day of entries is a range of ids.';

CREATE FUNCTION uuid_instant(id uuid) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN instant(('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint);
COMMENT ON FUNCTION uuid_instant IS 'When a payment id was made (UUID version 7, RFC 9562).';

CREATE FUNCTION minor_micros(decimals smallint) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE decimals WHEN 0 THEN 1000000 WHEN 1 THEN 100000 WHEN 2 THEN 10000 WHEN 3 THEN 1000
                         WHEN 4 THEN 100 END::bigint;
COMMENT ON FUNCTION minor_micros IS 'Micro-units in a currency''s minor unit. Not 10 ^ n, which is
floating point.';

CREATE FUNCTION minor_text(minor bigint, decimals smallint) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (SELECT CASE WHEN minor < 0 THEN '-' ELSE '' END || left(p.digits, length(p.digits) - decimals)
                       || CASE WHEN decimals > 0 THEN '.' || right(p.digits, decimals) ELSE '' END
              FROM (SELECT lpad(n.digits, greatest(length(n.digits), decimals + 1), '0')
                      FROM ltrim(minor::text, '-') AS n (digits)) AS p (digits));
COMMENT ON FUNCTION minor_text IS 'An amount in units of which so many decimals make one of the currency. All
amounts that SQL writes are written here; amount_format_minor writes the same.';

CREATE FUNCTION micros_text(micros bigint) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN regexp_replace(minor_text(micros, 6::smallint), '0{1,4}$', '');
COMMENT ON FUNCTION micros_text IS 'An amount in micro-units, with two to six decimals.';

CREATE FUNCTION rate_text(ppm integer) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN regexp_replace(micros_text(ppm::bigint * 100), '[.]?0+$', '') || ' %';
COMMENT ON FUNCTION rate_text IS 'Millionths in per cent, without zeros at the end: 190000 is "19 %".';

CREATE FUNCTION share_of(amount bigint, ppm integer) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN div(amount::numeric * ppm, 1000000)::bigint;
COMMENT ON FUNCTION share_of IS 'So many millionths, rounded down.';

CREATE FUNCTION refuse_change() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table "%" is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege', HINT = 'Corrections are new rows.';
END
$$;
COMMENT ON FUNCTION refuse_change IS 'Trigger of every table (make_append_only): what is there stays as it
is, whoever asks (promise P3).';

CREATE FUNCTION make_append_only(target regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %s'
                   ' FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change()', target);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only', target);
END
$$;
COMMENT ON FUNCTION make_append_only IS 'ENABLE ALWAYS: also for sessions with session_replication_role =
replica. Partitions need their own trigger, since a statement that names a partition does not fire its
parent''s.';

CREATE FUNCTION refuse_step_back() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.last_number < OLD.last_number OR NEW.site_id <> OLD.site_id OR NEW.series <> OLD.series THEN
        RAISE EXCEPTION 'series "%" may only count up', OLD.series USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION refuse_step_back IS 'Trigger of number_series: no number is given twice.';

CREATE FUNCTION let_auditor_read(auditor text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    target regclass;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = auditor) THEN
        RETURN;
    END IF;
    -- Partitions are read through their parents, whose rights count.
    FOR target IN SELECT oid FROM pg_class
                   WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
                     AND NOT relispartition AND NOT has_table_privilege(auditor, oid, 'SELECT')
                   ORDER BY relname
    LOOP
        EXECUTE format('GRANT SELECT ON %s TO %I', target, auditor);
    END LOOP;
END
$$;
COMMENT ON FUNCTION let_auditor_read IS 'Gives a role that is there the right to read every table and view,
and no other right. Run with each migration, as the owner, so that tables of later versions are read, too.';

CREATE FUNCTION mark_sandbox(offset_seconds bigint, at timestamptz, actor text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF offset_seconds = 0 OR EXISTS (SELECT FROM day_close) THEN
        RETURN EXISTS (SELECT FROM sandbox);
    END IF;
    INSERT INTO sandbox (single, offset_seconds, marked_at, actor)
    VALUES (true, offset_seconds, at, actor) ON CONFLICT DO NOTHING;
    RETURN true;
END
$$;
COMMENT ON FUNCTION mark_sandbox IS 'Makes the ledger a sandbox for ever, and says whether it is one. Once a
day was closed nothing makes it one: invoices that are owed do not become play.';

-- The ledger itself -------------------------------------------------------------------------------------

-- Made before anything else, as schema_table_create has it.
ALTER TABLE schema_version ADD COLUMN oldest_gate integer
    CHECK (oldest_gate > 0 AND oldest_gate <= version);
COMMENT ON TABLE schema_version IS 'Migrations that ran; the newest row is the version that programs
compare.';
COMMENT ON COLUMN schema_version.oldest_gate IS 'The oldest version of gates that can go on with this one;
NULL: this one.';

CREATE TABLE operator_action (
    action_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    happened_at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    detail text NOT NULL
);
COMMENT ON TABLE operator_action IS 'What operators'' commands changed, and who ran them.';

CREATE TABLE sandbox (
    single boolean CHECK (single) PRIMARY KEY,
    offset_seconds bigint NOT NULL CHECK (offset_seconds <> 0),
    marked_at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor <> '')
);
COMMENT ON TABLE sandbox IS 'One row: the ledger is for trying things out, with --clock-offset, and nothing on
its invoices is owed.';
COMMENT ON COLUMN sandbox.offset_seconds IS 'How far the first such clock was ahead of the true one.';
COMMENT ON COLUMN sandbox.marked_at IS 'By the true clock.';

SELECT make_append_only(name::regclass)
  FROM unnest(ARRAY['schema_version', 'operator_action', 'sandbox']) AS name;

REVOKE ALL ON FUNCTION mark_sandbox FROM PUBLIC;
