-- What all the rest stands on: instants and ids, amounts as numbers and texts, and tables that only grow.

REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- Instants and ids --------------------------------------------------------------------------------------

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

CREATE FUNCTION quarter_ms() RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE -- STRICT: else those who call it are not inlined
    RETURN 900000::bigint;
COMMENT ON FUNCTION quarter_ms IS 'Length of the quarters of an hour by which spending is counted, as
ENTRY_QUARTER_MS of the gate. The numbers of quarters in the table spend depend on it: it never changes.';

CREATE FUNCTION quarter_start(quarter bigint) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN instant(quarter * quarter_ms());
COMMENT ON FUNCTION quarter_start IS 'When a quarter of an hour begins; they are numbered since 1970.';

CREATE FUNCTION uuid_quarter(id uuid) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ('x' || encode(substr(uuid_send(id), 1, 6), 'hex'))::bit(48)::bigint / quarter_ms();
COMMENT ON FUNCTION uuid_quarter IS 'The quarter of an hour since 1970 in which a payment id was made.';

-- Amounts -----------------------------------------------------------------------------------------------

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

CREATE FUNCTION tax_of(net_minor bigint, rate_ppm integer) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN div(net_minor::numeric * rate_ppm + 500000, 1000000)::bigint;
COMMENT ON FUNCTION tax_of IS 'Tax on a net amount that is not negative, to the minor unit, half up.';

-- Append-only -------------------------------------------------------------------------------------------

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

-- The ledger itself -------------------------------------------------------------------------------------

COMMENT ON TABLE schema_version IS 'Migrations that ran; the newest row is the version that programs
compare.';

CREATE TABLE operator_action (
    action_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    happened_at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    detail text NOT NULL
);
COMMENT ON TABLE operator_action IS 'What operators'' commands changed, and who ran them.';

SELECT make_append_only(name::regclass) FROM unnest(ARRAY['schema_version', 'operator_action']) AS name;
