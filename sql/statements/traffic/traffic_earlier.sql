-- What was counted at site $1 from instant $2 until before $3 (days_back is 1), and from $4 until before $5
-- (7), by $6: crawler, rule or outcome. Of each of the two first the whole, where key is NULL.
-- columns: days_back integer, key text null, verified boolean, requests bigint, earned_micros bigint,
--   would_micros bigint
WITH counted AS (
    SELECT 1 AS days_back, c.crawler, c.verified, c.rule, c.outcome, c.requests, c.amount_micros
      FROM traffic_counts c
     WHERE c.site_id = $1::bigint AND c.counted_at >= instant($2::bigint)
       AND c.counted_at < instant($3::bigint)
    UNION ALL
    SELECT 7, c.crawler, c.verified, c.rule, c.outcome, c.requests, c.amount_micros
      FROM traffic_counts c
     WHERE c.site_id = $1::bigint AND c.counted_at >= instant($4::bigint)
       AND c.counted_at < instant($5::bigint)
), part AS (
    SELECT days_back, CASE $6::text WHEN 'crawler' THEN crawler WHEN 'rule' THEN rule
                                    WHEN 'outcome' THEN outcome END AS key,
           $6::text = 'crawler' AND verified AS verified, requests,
           CASE outcome WHEN 'paid' THEN amount_micros ELSE 0 END AS earned_micros,
           CASE outcome WHEN 'observed' THEN amount_micros ELSE 0 END AS would_micros
      FROM counted
)
SELECT days_back, key, coalesce(verified, false) AS verified, sum(requests)::bigint AS requests,
       sum(earned_micros)::bigint AS earned_micros, sum(would_micros)::bigint AS would_micros
  FROM part
 GROUP BY GROUPING SETS ((days_back), (days_back, key, verified))
 ORDER BY days_back, grouping(key) DESC, requests DESC, key, verified
