-- What was counted at site $1 on the days $2 to $3, which are from instant $4 until before $5, by $6:
-- crawler, rule, outcome, hour or day (of time zone $7). First the whole; then of each key its whole, and its
-- parts. Only wholes have no outcome, and only those of a key have a key: to write it for each part costs
-- more than all else. Parts are summed first: to sort all rows for both would take four times as long.
-- "slot": how many hours or days after the first.
-- columns: key text null, verified boolean, slot bigint, outcome text null, reason text null,
--   requests bigint, bytes bigint, amount_micros bigint, pages bytea
WITH counted AS (
    SELECT c.crawler, c.verified, c.rule, c.outcome, c.reason, c.day AS day, NULL::timestamptz AS hour,
           c.requests, c.bytes, c.amount_micros, c.pages
      FROM traffic_day c
     WHERE $6::text <> 'hour' AND c.site_id = $1::bigint AND c.day BETWEEN $2::date AND $3::date
    UNION ALL
    SELECT '', false, '', c.outcome, c.reason, NULL, c.hour, c.requests, c.bytes, c.amount_micros, c.pages
      FROM traffic_total c
     WHERE $6::text = 'hour' AND c.site_id = $1::bigint AND c.hour >= instant($4::bigint)
       AND c.hour < instant($5::bigint)
    UNION ALL
    SELECT c.crawler, c.verified, c.rule, c.outcome, c.reason, (c.period AT TIME ZONE $7::text)::date,
           date_trunc('hour', c.period, $7::text), c.requests, c.bytes, c.amount_micros, c.pages
      FROM traffic c
     WHERE c.site_id = $1::bigint AND c.period >= instant($4::bigint) AND c.period < instant($5::bigint)
), part AS MATERIALIZED (
    SELECT CASE $6::text WHEN 'crawler' THEN crawler WHEN 'rule' THEN rule WHEN 'outcome' THEN outcome
                         WHEN 'day' THEN day::text END AS name,
           CASE $6::text WHEN 'hour' THEN hour END AS hour,
           $6::text = 'crawler' AND verified AS verified, outcome, reason,
           sum(requests)::bigint AS requests, sum(bytes)::bigint AS bytes,
           sum(amount_micros)::bigint AS amount_micros, bit_or(pages) AS pages
      FROM counted
     GROUP BY 1, 2, 3, 4, 5
)
SELECT CASE WHEN grouping(name, outcome) = 1 THEN coalesce(name, hour_text(hour, $7::text)) END AS key,
       coalesce(verified, false) AS verified,
       coalesce(CASE $6::text WHEN 'day' THEN name::date - $2::date
                              WHEN 'hour' THEN floor((instant_ms(hour) - $4::bigint) / 3600000) END,
                0)::bigint AS slot,
       outcome, reason, sum(requests)::bigint AS requests, sum(bytes)::bigint AS bytes,
       sum(amount_micros)::bigint AS amount_micros, substring(bit_send(bit_or(pages)) FROM 5) AS pages
  FROM part
 GROUP BY GROUPING SETS ((), (name, hour, verified), (name, hour, verified, outcome, reason))
 ORDER BY grouping(name) DESC, hour, CASE $6::text WHEN 'day' THEN name END,
          sum(sum(requests)) OVER (PARTITION BY name, hour, verified) DESC, name, verified,
          grouping(outcome) DESC, requests DESC, outcome, reason
