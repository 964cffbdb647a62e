CREATE OR REPLACE FUNCTION uuid_floor(at timestamptz) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (lpad(to_hex(instant_ms(at)), 12, '0') || '00000000000000000000')::uuid;
COMMENT ON FUNCTION uuid_floor IS 'The lowest payment id of an instant: a day of entries is a range of ids.';
