CREATE OR REPLACE FUNCTION distinct_pages(pages bit) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (SELECT CASE
                   -- Few: so many registers would still be empty.
                   WHEN count(*) FILTER (WHERE r.seen) < 90
                   THEN round(-128 * ln(1 - count(*) FILTER (WHERE r.seen) / 128.0))
                   ELSE round(128 / 0.77351 * (power(2, avg(r.rank)) - power(2, -1.75 * avg(r.rank))))
                   END::bigint
              FROM (SELECT position(B'1' IN register) > 0 AS seen,
                           coalesce(nullif(position(B'0' IN register), 0), 25) - 1 AS rank
                      FROM generate_series(0, 127) AS i,
                           LATERAL substring(pages FROM i * 24 + 1 FOR 24) AS register) AS r);
COMMENT ON FUNCTION distinct_pages IS 'About how many different pages a sketch stands for (Flajolet and
Martin; for small numbers as Scheuermann and Mauve correct it): sketches of 128 registers are joined by
bit_or(). The standard error is 7 %.';
