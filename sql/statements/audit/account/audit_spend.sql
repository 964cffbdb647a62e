-- What gates count credit by, against the entries of site $1 that were delivered, at their final amounts, of
-- the time since they are
-- counted: a ledger that is older than its fourth version has some of before. Who put in an entry that is not
-- proven may have counted it, or not.
-- columns of audit_finding: subject text, problem text
WITH since AS (
    SELECT coalesce((SELECT uuid_quarter(uuid_floor(counted.applied_at)) + 1
                       FROM schema_version first JOIN schema_version counted ON counted.version = 4
                      WHERE first.version = 1
                        AND first.applied_at < counted.applied_at - interval '1 hour'), 0) AS quarter
), spent AS (
    SELECT s.crawler_id, s.quarter, sum(s.entries) AS entries, sum(s.amount_micros) AS micros
      FROM spend s JOIN since ON s.quarter >= since.quarter OR s.quarter < 0 WHERE s.site_id = $1::bigint
     GROUP BY s.crawler_id, s.quarter
), entered AS (
    SELECT c.crawler_id, uuid_quarter(c.payment_id) AS quarter,
           count(*) FILTER (WHERE (u.payment_id IS NULL OR u.final_micros > 0) AND n.payment_id IS NULL)
               AS entries,
           coalesce(sum(coalesce(u.final_micros, c.amount_micros)) FILTER (
                        WHERE (u.payment_id IS NULL OR u.final_micros > 0) AND n.payment_id IS NULL), 0)
               AS micros,
           count(n.payment_id) AS unproven, coalesce(sum(n.amount_micros), 0) AS unproven_micros
      FROM since
      JOIN LATERAL charge_range(uuid_floor(quarter_start(since.quarter)),
                                'ffffffff-ffff-ffff-ffff-ffffffffffff') c ON c.site_id = $1::bigint
      LEFT JOIN undelivered u ON u.payment_id = c.payment_id AND u.site_id = c.site_id
      LEFT JOIN unproven n ON n.payment_id = c.payment_id
     GROUP BY 1, 2
)
SELECT 'spend of ' || k.agent || ' from ' || coalesce(instant_text(q.starts_at), 'quarter ' || quarter)
           AS subject,
       'counts ' || coalesce(s.entries, 0) || ' entries for ' || coalesce(s.micros, 0) || ', there are '
           || coalesce(e.entries, 0) || ' for ' || coalesce(e.micros, 0) AS problem
  FROM spent s FULL JOIN entered e USING (crawler_id, quarter) JOIN crawler k USING (crawler_id)
 -- What no id has the time of may be beyond all times.
 CROSS JOIN LATERAL (SELECT CASE WHEN quarter BETWEEN 0 AND x'ffffffffffff'::bigint / quarter_ms()
                                 THEN quarter_start(quarter) END AS starts_at) AS q
 WHERE (coalesce(s.entries, 0) - coalesce(e.entries, 0) NOT BETWEEN 0 AND coalesce(e.unproven, 0)
        OR coalesce(s.micros, 0) - coalesce(e.micros, 0) NOT BETWEEN 0 AND coalesce(e.unproven_micros, 0))
   AND NOT EXISTS (SELECT FROM archived v
                    WHERE v.utc_date = (q.starts_at AT TIME ZONE 'UTC')::date)
 ORDER BY 1 LIMIT 20
