CREATE OR REPLACE FUNCTION quarter_ms() RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE -- STRICT: else those who call it are not inlined
    RETURN 900000::bigint;
COMMENT ON FUNCTION quarter_ms IS 'Length of the quarters of an hour by which spending is counted, as
ENTRY_QUARTER_MS of the gate. The numbers of quarters in the table spend depend on it: it never changes.';
