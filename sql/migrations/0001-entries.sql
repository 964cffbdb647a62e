-- What the gate writes. Nothing in it is ever changed or removed (promise P3): roles, triggers and,
-- later, the audit each see to that.

REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- Instants ----------------------------------------------------------------------------------------------

CREATE FUNCTION instant(ms bigint) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN timestamptz '1970-01-01 00:00:00+00' + ms * interval '1 millisecond';
COMMENT ON FUNCTION instant IS 'Milliseconds since 1970 as an instant. Times come from the gate''s clock,
never from now().';

CREATE FUNCTION instant_ms(at timestamptz) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN floor(extract(epoch FROM at) * 1000)::bigint;

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

-- Append-only -------------------------------------------------------------------------------------------

CREATE FUNCTION refuse_change() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table "%" is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege', HINT = 'Corrections are new rows.';
END
$$;

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

-- Tables ------------------------------------------------------------------------------------------------

COMMENT ON TABLE schema_version IS 'Migrations that ran; the newest row is the version that programs
compare.';

CREATE TABLE site (
    site_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    currency_decimals smallint NOT NULL CHECK (currency_decimals BETWEEN 0 AND 4),
    time_zone text NOT NULL,
    network text NOT NULL,
    seller text NOT NULL,
    registered_at timestamptz NOT NULL
);
COMMENT ON TABLE site IS 'A publisher''s site, as its gate first registered it. Currency, zone and network
are what the entries were made under, so a gate whose configuration says otherwise does not start.';
COMMENT ON COLUMN site.currency_decimals IS 'ISO 4217 exponent: an invoice''s total is a whole number of
these.';

CREATE TABLE crawler (
    crawler_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agent text NOT NULL UNIQUE CHECK (agent <> '' AND octet_length(agent) <= 2048),
    first_seen_at timestamptz NOT NULL
);
COMMENT ON TABLE crawler IS 'One account per agent identity: the normalised origin or URL of
Signature-Agent.';

CREATE TABLE crawler_key (
    crawler_id bigint NOT NULL REFERENCES crawler,
    thumbprint bytea NOT NULL CHECK (octet_length(thumbprint) = 32),
    public_key text NOT NULL,
    directory_url text NOT NULL,
    first_seen_at timestamptz NOT NULL,
    PRIMARY KEY (crawler_id, thumbprint)
);
COMMENT ON TABLE crawler_key IS 'Every key that ever paid: evidence, since directories forget keys
(promise P6).';
COMMENT ON COLUMN crawler_key.public_key IS 'The members of RFC 7638 section 3, byte for byte what the
thumbprint is of.';

CREATE TABLE charge (
    payment_id uuid NOT NULL,
    lane smallint NOT NULL CHECK (lane = get_byte(uuid_send(payment_id), 15)),
    site_id bigint NOT NULL,
    crawler_id bigint NOT NULL,
    amount_micros bigint NOT NULL CHECK (amount_micros >= 0),
    rule text NOT NULL,
    resource text NOT NULL,
    recorded_at timestamptz NOT NULL,
    thumbprint bytea NOT NULL CHECK (octet_length(thumbprint) = 32),
    signature bytea NOT NULL,
    signature_base bytea NOT NULL,
    PRIMARY KEY (payment_id, lane)
) PARTITION BY RANGE (payment_id);
COMMENT ON TABLE charge IS 'The ledger: one row per paid crawl. The key is the id that was offered and
signed, so that a payment is charged at most once for ever (promise P2). No foreign keys: they would cost
a lookup and a row lock per entry, and the gate writes only ids that it has read.';
COMMENT ON COLUMN charge.lane IS 'Last byte of the id: what a cluster would distribute by. A function of
the id, so that the key stays unique on the id alone.';
COMMENT ON COLUMN charge.recorded_at IS 'When the entry was made, by the gate''s clock: the receipt''s
timestamp.';
COMMENT ON COLUMN charge.signature_base IS 'RFC 9421 section 2.5: with signature and key, the proof of who
agreed to what.';

CREATE TABLE conflict (
    payment_id uuid NOT NULL,
    evidence bytea NOT NULL,
    site_id bigint NOT NULL REFERENCES site,
    crawler_id bigint NOT NULL REFERENCES crawler,
    amount_micros bigint NOT NULL,
    rule text NOT NULL,
    resource text NOT NULL,
    recorded_at timestamptz NOT NULL,
    thumbprint bytea NOT NULL,
    signature bytea NOT NULL,
    signature_base bytea NOT NULL,
    PRIMARY KEY (payment_id, evidence)
);
COMMENT ON TABLE conflict IS 'A second, different commitment for a payment id that was already used. Not
charged.';
COMMENT ON COLUMN conflict.evidence IS 'SHA-256 of signature and signature base: the same attempt is kept
once.';

CREATE TABLE day (
    site_id bigint NOT NULL REFERENCES site,
    local_date date NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    time_zone text NOT NULL,
    PRIMARY KEY (site_id, local_date),
    UNIQUE (site_id, starts_at),
    UNIQUE (site_id, ends_at),
    CHECK (starts_at < ends_at)
);
COMMENT ON TABLE day IS 'Billing days: half open, made ahead of time, each starting where the one before
ends. The instants are stored, so that a later change of time zone rules moves no entry to another day.';

CREATE TABLE operator_action (
    action_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    happened_at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    detail text NOT NULL
);
COMMENT ON TABLE operator_action IS 'What operators'' commands changed, and who ran them.';

SELECT make_append_only(name::regclass)
  FROM unnest(ARRAY['schema_version', 'site', 'crawler', 'crawler_key', 'charge', 'conflict', 'day',
                    'operator_action']) AS name;

-- Partitions --------------------------------------------------------------------------------------------

CREATE FUNCTION charge_partitions(first_date date, last_date date) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    made integer := 0;
    at date;
    name text;
BEGIN
    IF last_date - first_date NOT BETWEEN 0 AND 40 THEN
        RAISE EXCEPTION 'charge_partitions: % to % are not 1 to 41 days', first_date, last_date
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR i IN 0 .. last_date - first_date LOOP
        at := first_date + i;
        name := 'charge_' || to_char(at, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('public.' || name) IS NOT NULL;
        -- Two gates start together: the second waits here and then finds the table. Writers do not wait.
        LOCK TABLE public.charge IN SHARE UPDATE EXCLUSIVE MODE;
        CONTINUE WHEN to_regclass('public.' || name) IS NOT NULL;
        EXECUTE format('CREATE TABLE public.%I (LIKE public.charge INCLUDING ALL)', name);
        PERFORM public.make_append_only(format('public.%I', name)::regclass);
        -- ATTACH takes a weaker lock on the parent than PARTITION OF: a running export does not stop the
        -- gate.
        EXECUTE format('ALTER TABLE public.charge ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                       name, public.uuid_floor(at::timestamp AT TIME ZONE 'UTC'),
                       public.uuid_floor((at + 1)::timestamp AT TIME ZONE 'UTC'));
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;
COMMENT ON FUNCTION charge_partitions IS 'Makes the missing partitions for a range of UTC days, both
included, and returns how many. With the owner''s rights, so that the gate needs none to create tables.';
REVOKE ALL ON FUNCTION charge_partitions FROM PUBLIC;

-- Rights ------------------------------------------------------------------------------------------------

DO $$
DECLARE
    gate text := current_setting('crawltab.gate_role');
    night text := current_setting('crawltab.operator_role');
BEGIN
    EXECUTE format('GRANT SELECT ON schema_version TO %I, %I', gate, night);
    EXECUTE format('GRANT SELECT, INSERT ON site, crawler, crawler_key, charge, conflict, day TO %I', gate);
    EXECUTE format('GRANT SELECT ON site, crawler, crawler_key, charge, conflict TO %I', night);
    EXECUTE format('GRANT SELECT, INSERT ON day, operator_action TO %I', night);
    EXECUTE format('GRANT EXECUTE ON FUNCTION charge_partitions TO %I, %I', gate, night);
END
$$;
