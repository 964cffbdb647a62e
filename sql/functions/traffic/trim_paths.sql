CREATE OR REPLACE FUNCTION trim_paths() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    of_site bigint;
    of_day date;
BEGIN
    FOR of_site, of_day IN
        -- The first day after the last one that was trimmed: history is not looked at. So many at once, as
        -- counting waits for it.
        SELECT s.site_id, p.day
          FROM site s
         CROSS JOIN LATERAL (SELECT t.day FROM traffic_path t
                              WHERE t.site_id = s.site_id
                                AND t.day > coalesce((SELECT max(day) FROM traffic_trim d
                                                       WHERE d.site_id = s.site_id), '-infinity')
                              ORDER BY t.day LIMIT 1) AS p
         WHERE p.day < ((clock_timestamp() - interval '1 hour')
                        AT TIME ZONE traffic_zone(s.site_id, clock_timestamp()))::date
         ORDER BY s.site_id
         LIMIT 20
    LOOP
        LOCK TABLE traffic_path IN SHARE ROW EXCLUSIVE MODE;
        CONTINUE WHEN EXISTS (SELECT FROM traffic_trim WHERE site_id = of_site AND day >= of_day);
        PERFORM set_config('crawltab.forgets_traffic', 'yes', true); -- what its trigger asks for
        WITH kept AS MATERIALIZED (
            SELECT path FROM traffic_path WHERE site_id = of_site AND day = of_day AND path <> ''
             GROUP BY path ORDER BY sum(requests) DESC, path LIMIT 2000
        ), gone AS (
            DELETE FROM traffic_path t
             WHERE t.site_id = of_site AND t.day = of_day AND t.path <> ''
               AND t.path NOT IN (SELECT path FROM kept) -- hashed, whatever is known of the table
            RETURNING t.*
        )
        INSERT INTO traffic_path AS t (site_id, day, path, crawler, verified, rule, outcome, requests, bytes,
                                       amount_micros)
        SELECT of_site, of_day, '', g.crawler, g.verified, g.rule, g.outcome, sum(g.requests), sum(g.bytes),
               sum(g.amount_micros)
          FROM gone g
         GROUP BY g.crawler, g.verified, g.rule, g.outcome
            ON CONFLICT ON CONSTRAINT traffic_path_pkey DO UPDATE
           SET requests = t.requests + EXCLUDED.requests, bytes = t.bytes + EXCLUDED.bytes,
               amount_micros = t.amount_micros + EXCLUDED.amount_micros;
        PERFORM set_config('crawltab.forgets_traffic', 'no', true);
        INSERT INTO traffic_trim (site_id, day) VALUES (of_site, of_day);
    END LOOP;
END
$$;
COMMENT ON FUNCTION trim_paths IS 'Of days of the sites'' zones that are over by an hour, by the server''s
clock: leaves the rows of the 2,000 paths that were asked for most in "traffic_path", and adds the others up
in rows without path. The first such day of twenty sites, each time.';
