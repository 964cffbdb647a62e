CREATE OR REPLACE FUNCTION uuid_instant(id uuid) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN instant(('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint);
COMMENT ON FUNCTION uuid_instant IS 'When a payment id was made (UUID version 7, RFC 9562).';
