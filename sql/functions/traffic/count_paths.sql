CREATE OR REPLACE FUNCTION count_paths(of_batch uuid, sites text[], periods_ms bigint[], paths text[],
                                       crawlers text[], verified bigint[], rules text[], outcomes text[],
                                       requests bigint[], bytes bigint[], amounts bigint[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    most CONSTANT bigint := 20000; -- rows of a site and day
    part record;
    room bigint;
BEGIN
    IF EXISTS (SELECT FROM traffic WHERE batch = of_batch) THEN
        RETURN;
    END IF;
    -- Trimming waits until this is committed, and the other way round.
    LOCK TABLE traffic_path IN ROW EXCLUSIVE MODE;
    FOR part IN
        SELECT p.site_id, p.name, p.day, array_agg(p.period_ms) AS periods_ms
          FROM (SELECT s.site_id, s.name, c.period_ms,
                       (instant(c.period_ms)
                        AT TIME ZONE traffic_zone(s.site_id, instant(c.period_ms)))::date AS day
                  FROM (SELECT DISTINCT * FROM unnest(sites, periods_ms) AS u (site, period_ms)) AS c
                  JOIN site s ON s.name = c.site) AS p
         GROUP BY p.site_id, p.name, p.day
         ORDER BY p.site_id, p.day
    LOOP
        -- A day that was trimmed gets no more paths.
        SELECT CASE WHEN part.day <= (SELECT max(t.day) FROM traffic_trim t WHERE t.site_id = part.site_id)
                    THEN 0 ELSE most - count(*) END INTO room
          FROM (SELECT FROM traffic_path t WHERE t.site_id = part.site_id AND t.day = part.day
                 LIMIT most) AS t;
        INSERT INTO traffic_path AS t (site_id, day, path, crawler, verified, rule, outcome, requests, bytes,
                                       amount_micros)
        SELECT part.site_id, part.day, CASE WHEN q.known OR q.rank <= room THEN q.path ELSE '' END, q.crawler,
               q.verified, q.rule, q.outcome, sum(q.requests), sum(q.bytes), sum(q.amount_micros)
          FROM (SELECT c.*, row_number() OVER (PARTITION BY c.known ORDER BY c.requests DESC) AS rank
                  FROM (SELECT u.path, u.crawler, u.verified = 1 AS verified, u.rule, u.outcome,
                               sum(u.requests) AS requests, sum(u.bytes) AS bytes,
                               sum(u.amount_micros) AS amount_micros,
                               u.path = '' OR EXISTS (
                                   SELECT FROM traffic_path t
                                    WHERE t.site_id = part.site_id AND t.day = part.day AND t.path = u.path
                                      AND t.crawler = u.crawler AND t.verified = (u.verified = 1)
                                      AND t.rule = u.rule AND t.outcome = u.outcome) AS known
                          FROM unnest(sites, periods_ms, paths, crawlers, verified, rules, outcomes, requests,
                                      bytes, amounts)
                               AS u (site, period_ms, path, crawler, verified, rule, outcome, requests,
                                     bytes, amount_micros)
                         WHERE u.site = part.name AND u.period_ms = ANY (part.periods_ms)
                         GROUP BY u.path, u.crawler, u.verified, u.rule, u.outcome) AS c) AS q
         GROUP BY 3, 4, 5, 6, 7
         ORDER BY 3, 4, 5, 6, 7 -- two gates lock the same rows in the same order
            ON CONFLICT ON CONSTRAINT traffic_path_pkey DO UPDATE
           SET requests = t.requests + EXCLUDED.requests, bytes = t.bytes + EXCLUDED.bytes,
               amount_micros = t.amount_micros + EXCLUDED.amount_micros;
    END LOOP;
END
$$;
COMMENT ON FUNCTION count_paths IS 'Adds a batch of what was counted by path to "traffic_path", once: to be
called before the batch is in "traffic", in the same transaction. A day of a site has 20,000 rows at most, and
then some without path. With the owner''s rights, so that the gate needs none to change counts.';
