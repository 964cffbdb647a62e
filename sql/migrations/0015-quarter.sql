-- How long the quarters of an hour are by which spending is counted stands in one place.

CREATE FUNCTION quarter_ms() RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE -- STRICT: else those who call it are not inlined
    RETURN 900000::bigint;
COMMENT ON FUNCTION quarter_ms IS 'Length of the quarters of an hour by which spending is counted, as
ENTRY_QUARTER_MS of the gate. The numbers of quarters in the table spend depend on it: it never changes.';

CREATE FUNCTION quarter_start(quarter bigint) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN instant(quarter * quarter_ms());
COMMENT ON FUNCTION quarter_start IS 'When a quarter of an hour begins; they are numbered since 1970.';

CREATE OR REPLACE FUNCTION uuid_quarter(id uuid) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ('x' || encode(substr(uuid_send(id), 1, 6), 'hex'))::bit(48)::bigint / quarter_ms();
