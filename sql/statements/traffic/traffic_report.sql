-- What was counted at site $1 from instant $2 until before $3, by $4: crawler, rule, outcome or hour (of time
-- zone $5). Of each key first the whole, where outcome is NULL, and then its parts. These are summed first:
-- to sort all rows for both would take four times as long.
-- columns: key text, verified boolean, outcome text null, reason text null, requests bigint, bytes bigint,
--   amount_micros bigint, pages bigint
WITH part AS MATERIALIZED (
    SELECT CASE $4::text WHEN 'crawler' THEN c.crawler WHEN 'rule' THEN c.rule
                         WHEN 'outcome' THEN c.outcome END AS name,
           CASE $4::text WHEN 'hour' THEN date_trunc('hour', c.counted_at, $5::text) END AS hour,
           $4::text = 'crawler' AND c.verified AS verified, c.outcome, c.reason,
           sum(c.requests)::bigint AS requests, sum(c.bytes)::bigint AS bytes,
           sum(c.amount_micros)::bigint AS amount_micros, bit_or(c.pages) AS pages
      FROM traffic_counts c
     WHERE c.site_id = $1::bigint AND c.counted_at >= instant($2::bigint)
       AND c.counted_at < instant($3::bigint)
     GROUP BY 1, 2, 3, 4, 5
)
SELECT coalesce(name, hour_text(hour, $5::text)) AS key, verified, outcome, reason,
       sum(requests)::bigint AS requests, sum(bytes)::bigint AS bytes,
       sum(amount_micros)::bigint AS amount_micros, distinct_pages(bit_or(pages)) AS pages
  FROM part
 GROUP BY GROUPING SETS ((name, hour, verified), (name, hour, verified, outcome, reason))
 ORDER BY hour, sum(sum(requests)) OVER (PARTITION BY name, hour, verified) DESC, name, verified,
          grouping(outcome) DESC, requests DESC, outcome, reason
