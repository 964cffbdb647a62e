CREATE OR REPLACE FUNCTION tax_of(net_minor bigint, rate_ppm integer) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN div(net_minor::numeric * rate_ppm + 500000, 1000000)::bigint;
COMMENT ON FUNCTION tax_of IS 'Tax on a net amount that is not negative, to the minor unit, half up.';
