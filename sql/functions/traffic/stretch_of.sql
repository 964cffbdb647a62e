CREATE OR REPLACE FUNCTION stretch_of(day date) RETURNS date
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN date_trunc('month', day::timestamp)::date
           + least((extract(day FROM day)::integer - 1) / 6, 4) * 6;
COMMENT ON FUNCTION stretch_of IS 'The first day of the stretch of a month that a day is in: they begin on the
1st, 7th, 13th, 19th and 25th.';
