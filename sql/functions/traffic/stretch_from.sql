CREATE OR REPLACE FUNCTION stretch_from(day date) RETURNS date
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN stretch_of(day) = day THEN day
                WHEN extract(day FROM day) > 25
                THEN (date_trunc('month', day::timestamp) + interval '1 month')::date
                ELSE stretch_of(day) + 6 END;
COMMENT ON FUNCTION stretch_from IS 'The first day of the first stretch (stretch_of) that begins on a day or
later.';
