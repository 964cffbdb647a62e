-- The closed days of site $1 by themselves: which row, and what is wrong with it.
-- columns of audit_finding: subject text, problem text
WITH closed AS (
    SELECT d.*, c.close_number, c.entries, c.sum_micros,
           lag(d.ends_at) OVER w AS ended_at, lag(c.close_number) OVER w AS number_before,
           lag(d.local_date) OVER w AS date_before
      FROM day d LEFT JOIN day_close c USING (site_id, local_date)
     WHERE d.site_id = $1::bigint WINDOW w AS (ORDER BY d.local_date)
), zone AS MATERIALIZED (
    -- Of days that are open, as far as the server knows it: what is no zone would end the audit.
    SELECT c.local_date, z.time_zone,
           EXISTS (SELECT FROM pg_timezone_names n WHERE n.name = z.time_zone) AS known
      FROM closed c JOIN site USING (site_id)
     CROSS JOIN LATERAL (SELECT coalesce((SELECT s.time_zone FROM site_zone s
                                           WHERE s.site_id = c.site_id AND s.from_date <= c.local_date
                                           ORDER BY s.version DESC LIMIT 1), site.time_zone)) AS z (time_zone)
     WHERE c.close_number IS NULL
), counted AS (
    SELECT t.local_date, sum(t.entries) AS entries, sum(t.sum_micros) AS sum_micros
      FROM crawler_day t WHERE t.site_id = $1::bigint GROUP BY t.local_date
)
SELECT 'day ' || c.local_date AS subject,
       'does not start where the day before ends, at ' || instant_text(c.ended_at) AS problem
  FROM closed c WHERE c.starts_at <> c.ended_at
UNION ALL
-- Of closed days zone and instants are signed. Rules of a zone may have changed since the day was made, by an
-- hour.
SELECT 'day ' || c.local_date, 'ends at ' || instant_text(c.ends_at) || ' in ' || c.time_zone
       || coalesce(', its midnight in ' || z.time_zone || ' is ' || instant_text(m.midnight),
                   ', its zone is "' || z.time_zone || '"')
  FROM closed c JOIN zone z USING (local_date)
 CROSS JOIN LATERAL (SELECT CASE WHEN z.known THEN (c.local_date + 1)::timestamp AT TIME ZONE z.time_zone END
                    ) AS m (midnight)
 WHERE c.time_zone <> z.time_zone
    OR c.ends_at NOT BETWEEN m.midnight - interval '1 hour' AND m.midnight + interval '1 hour'
UNION ALL
SELECT 'day_close ' || coalesce(c.local_date::text, t.local_date::text),
       CASE WHEN c.close_number IS NULL THEN 'is missing: the day has accounts, or a later day is closed'
            ELSE 'says ' || c.entries || ' entries for ' || c.sum_micros || ', its accounts '
                 || coalesce(t.entries, 0) || ' for ' || coalesce(t.sum_micros, 0) END
  FROM closed c FULL JOIN counted t USING (local_date)
 WHERE c.close_number IS NULL AND (t.local_date IS NOT NULL OR c.local_date BETWEEN
           (SELECT min(local_date) FROM closed WHERE close_number IS NOT NULL)
           AND (SELECT max(local_date) FROM closed WHERE close_number IS NOT NULL))
    OR c.close_number IS NOT NULL AND (c.entries <> coalesce(t.entries, 0)
                                       OR c.sum_micros <> coalesce(t.sum_micros, 0))
UNION ALL
SELECT 'day_close ' || c.local_date, 'has number ' || c.close_number || ' after ' || c.number_before
  FROM closed c WHERE c.close_number <> c.number_before + 1
UNION ALL
SELECT 'crawler_day ' || t.local_date || ' ' || k.agent,
       'has number ' || t.close_number || ', its day ' || coalesce(c.close_number::text, 'none')
  FROM crawler_day t JOIN crawler k USING (crawler_id)
  LEFT JOIN day_close c USING (site_id, local_date)
 WHERE t.site_id = $1::bigint AND t.close_number IS DISTINCT FROM c.close_number
UNION ALL
SELECT 'crawler_day_line ' || l.local_date || ' ' || k.agent || ' "' || l.rule || '"',
       'is of crawls and has the detail "' || l.detail || '"'
  FROM crawler_day_line l JOIN crawler k USING (crawler_id)
 WHERE l.site_id = $1::bigint AND l.kind = 'crawls' AND l.detail <> ''
UNION ALL
SELECT 'number_series day', 'counts ' || coalesce(n.last_number, 0) || ' closed days, there are ' || x.found
  FROM (SELECT count(*) AS found FROM closed WHERE close_number IS NOT NULL) AS x
  LEFT JOIN number_series n ON n.site_id = $1::bigint AND n.series = 'day'
 WHERE coalesce(n.last_number, 0) <> x.found
UNION ALL
SELECT 'day_seal ' || c.local_date, 'is missing, or not where the day ends'
  FROM closed c
 WHERE c.close_number IS NOT NULL AND NOT EXISTS (
       SELECT FROM day_seal s WHERE s.site_id = c.site_id AND s.local_date = c.local_date
          AND s.end_id = uuid_floor(c.ends_at))
 LIMIT 20
