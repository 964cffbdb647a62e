-- What was counted at site $1 on the days $2 to $3, which are from instant $4 until before $5, by $6:
-- crawler, rule, path, outcome, hour or day (of time zone $7). First the whole; then of each key its whole,
-- and its parts. Only wholes have no outcome, and only those of a key have a key: to write it for each part
-- costs more than all else. "slot": how many hours or days after the first.
--
-- To join sketches is what takes time, so as few rows as possible are read: of crawlers and rules those of
-- whole months, of whole stretches before and after, and of the days before and after these; of all else
-- those of hours over all crawlers. Parts have sketches only if $8 is 1: most of what is sent would be these.
-- Paths have none, and days alone.
-- Each table is summed by itself, as the planner knows then that there are few groups and sorts no sketches.
-- columns: key text null, verified boolean, slot bigint, outcome text null, reason text null,
--   requests bigint, bytes bigint, amount_micros bigint, pages bytea null
WITH counted AS (
    SELECT CASE $6::text WHEN 'crawler' THEN c.crawler ELSE c.rule END AS name, NULL::timestamptz AS hour,
           $6::text = 'crawler' AND c.verified AS verified, c.outcome, c.reason, sum(c.requests) AS requests,
           sum(c.bytes) AS bytes, sum(c.amount_micros) AS amount_micros, bit_or(c.pages) AS pages
      FROM traffic_month c
     WHERE $6::text IN ('crawler', 'rule') AND c.site_id = $1::bigint
       AND c.month >= date_trunc('month', $2::date - 1 + interval '1 month')::date
       AND c.month < date_trunc('month', $3::date + interval '1 day')::date
     GROUP BY 1, 3, 4, 5
    UNION ALL
    SELECT CASE $6::text WHEN 'crawler' THEN c.crawler ELSE c.rule END, NULL,
           $6::text = 'crawler' AND c.verified, c.outcome, c.reason, sum(c.requests), sum(c.bytes),
           sum(c.amount_micros), bit_or(c.pages)
      FROM traffic_stretch c
     WHERE $6::text IN ('crawler', 'rule') AND c.site_id = $1::bigint
       AND c.first_day >= stretch_from($2::date)
       AND c.first_day < least(date_trunc('month', $2::date - 1 + interval '1 month')::date,
                               stretch_of($3::date + 1))
     GROUP BY 1, 3, 4, 5
    UNION ALL
    SELECT CASE $6::text WHEN 'crawler' THEN c.crawler ELSE c.rule END, NULL,
           $6::text = 'crawler' AND c.verified, c.outcome, c.reason, sum(c.requests), sum(c.bytes),
           sum(c.amount_micros), bit_or(c.pages)
      FROM traffic_stretch c
     WHERE $6::text IN ('crawler', 'rule') AND c.site_id = $1::bigint
       AND c.first_day >= greatest(date_trunc('month', $2::date - 1 + interval '1 month'),
                                   date_trunc('month', $3::date + interval '1 day'))::date
       AND c.first_day < stretch_of($3::date + 1)
     GROUP BY 1, 3, 4, 5
    UNION ALL
    SELECT CASE $6::text WHEN 'crawler' THEN c.crawler ELSE c.rule END, NULL,
           $6::text = 'crawler' AND c.verified, c.outcome, c.reason, sum(c.requests), sum(c.bytes),
           sum(c.amount_micros), bit_or(c.pages)
      FROM traffic_day c
     WHERE $6::text IN ('crawler', 'rule') AND c.site_id = $1::bigint
       AND c.day BETWEEN $2::date AND $3::date AND c.day < stretch_from($2::date)
     GROUP BY 1, 3, 4, 5
    UNION ALL
    SELECT CASE $6::text WHEN 'crawler' THEN c.crawler ELSE c.rule END, NULL,
           $6::text = 'crawler' AND c.verified, c.outcome, c.reason, sum(c.requests), sum(c.bytes),
           sum(c.amount_micros), bit_or(c.pages)
      FROM traffic_day c
     WHERE $6::text IN ('crawler', 'rule') AND c.site_id = $1::bigint
       AND c.day BETWEEN greatest(stretch_from($2::date), stretch_of($3::date + 1)) AND $3::date
     GROUP BY 1, 3, 4, 5
    UNION ALL
    SELECT CASE $6::text WHEN 'outcome' THEN c.outcome
                         WHEN 'day' THEN (c.hour AT TIME ZONE $7::text)::date::text END,
           CASE $6::text WHEN 'hour' THEN c.hour END, false, c.outcome, c.reason, sum(c.requests),
           sum(c.bytes), sum(c.amount_micros), bit_or(c.pages)
      FROM traffic_total c
     WHERE $6::text NOT IN ('crawler', 'rule', 'path') AND c.site_id = $1::bigint
       AND c.hour >= instant($4::bigint) AND c.hour < instant($5::bigint)
     GROUP BY 1, 2, 4, 5
    UNION ALL
    SELECT CASE $6::text WHEN 'crawler' THEN c.crawler WHEN 'rule' THEN c.rule WHEN 'outcome' THEN c.outcome
                         WHEN 'day' THEN (c.period AT TIME ZONE $7::text)::date::text END,
           CASE $6::text WHEN 'hour' THEN date_trunc('hour', c.period, $7::text) END,
           $6::text = 'crawler' AND c.verified, c.outcome, c.reason, sum(c.requests), sum(c.bytes),
           sum(c.amount_micros), bit_or(c.pages)
      FROM traffic c
     WHERE $6::text <> 'path' AND c.site_id = $1::bigint AND c.period >= instant($4::bigint)
       AND c.period < instant($5::bigint)
     GROUP BY 1, 2, 3, 4, 5
    UNION ALL
    SELECT c.path, NULL, false, c.outcome, '', sum(c.requests), sum(c.bytes), sum(c.amount_micros), NULL
      FROM traffic_path c
     WHERE $6::text = 'path' AND c.site_id = $1::bigint AND c.day BETWEEN $2::date AND $3::date
     GROUP BY 1, 4
), part AS MATERIALIZED (
    SELECT name, hour, verified, outcome, reason, sum(requests)::bigint AS requests,
           sum(bytes)::bigint AS bytes, sum(amount_micros)::bigint AS amount_micros, bit_or(pages) AS pages
      FROM counted
     GROUP BY 1, 2, 3, 4, 5
)
SELECT CASE WHEN grouping(name, outcome) = 1 THEN coalesce(name, hour_text(hour, $7::text)) END AS key,
       coalesce(verified, false) AS verified,
       coalesce(CASE $6::text WHEN 'day' THEN name::date - $2::date
                              WHEN 'hour' THEN floor((instant_ms(hour) - $4::bigint) / 3600000) END,
                0)::bigint AS slot,
       outcome, reason, sum(requests)::bigint AS requests, sum(bytes)::bigint AS bytes,
       sum(amount_micros)::bigint AS amount_micros,
       CASE WHEN grouping(outcome) = 1 OR $8::bigint = 1
            THEN substring(bit_send(bit_or(pages)) FROM 5) END AS pages
  FROM part
 GROUP BY GROUPING SETS ((), (name, hour, verified), (name, hour, verified, outcome, reason))
 ORDER BY grouping(name) DESC, hour, CASE $6::text WHEN 'day' THEN name END,
          sum(sum(requests)) OVER (PARTITION BY name, hour, verified) DESC, name, verified,
          grouping(outcome) DESC, requests DESC, outcome, reason
