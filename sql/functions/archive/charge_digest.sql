CREATE OR REPLACE FUNCTION charge_digest(target regclass, OUT entries bigint, OUT sum_micros bigint,
                                         OUT digest bytea)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, public, pg_temp SET "TimeZone" = 'UTC' SET bytea_output = 'hex' AS $$
BEGIN
    EXECUTE format(
        'SELECT coalesce(sum(n), 0), coalesce(sum(s), 0),'
        '       sha256(coalesce(string_agg(d, '''' ORDER BY g), ''''))'
        '  FROM (SELECT g, count(*) AS n, sum(amount_micros) AS s,'
        '               sha256(string_agg(sha256(convert_to(jsonb_strip_nulls(line)::text, ''UTF8'')), '''''
        '                                 ORDER BY payment_id)) AS d'
        '          FROM (SELECT payment_id, amount_micros, to_jsonb(c) AS line,'
        '                       (row_number() OVER (ORDER BY payment_id) - 1) / 1000 AS g FROM %s c) AS entry'
        '         GROUP BY g) AS page', target) INTO entries, sum_micros, digest;
END
$$;
COMMENT ON FUNCTION charge_digest IS 'Of the rows in the order of their ids: SHA-256 over the digests of each
thousand, so that no value grows with the day. Columns that are NULL do not count: a column that a later
migration adds changes no digest.';
