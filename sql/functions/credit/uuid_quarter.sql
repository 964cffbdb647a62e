CREATE OR REPLACE FUNCTION uuid_quarter(id uuid) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ('x' || encode(substr(uuid_send(id), 1, 6), 'hex'))::bit(48)::bigint / quarter_ms();
COMMENT ON FUNCTION uuid_quarter IS 'The quarter of an hour since 1970 in which a payment id was made.';
