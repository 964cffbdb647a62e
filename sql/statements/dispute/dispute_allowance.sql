-- What rules may give back to crawler $2 at site $1 at clock $3: what it was charged and what rules have
-- given back within 30 days, and what the agreement says of that, -1 for nothing.
-- columns: charged_micros bigint, upheld_micros bigint, share_ppm integer, limit_micros bigint
WITH since AS (
    SELECT instant($3::bigint) - interval '30 days' AS at
), closed AS (
    SELECT d.ends_at, t.sum_micros FROM since JOIN day d ON d.site_id = $1::bigint AND d.ends_at > since.at
      JOIN day_close c ON c.site_id = d.site_id AND c.local_date = d.local_date
      LEFT JOIN crawler_day t ON t.site_id = d.site_id AND t.local_date = d.local_date
       AND t.crawler_id = $2::bigint
)
SELECT (coalesce((SELECT sum(sum_micros) FROM closed), 0) + coalesce((
           SELECT sum(p.amount_micros) FROM spend p
            WHERE p.site_id = $1::bigint AND p.crawler_id = $2::bigint
              AND p.quarter >= instant_ms(coalesce((SELECT max(ends_at) FROM closed), since.at))
                               / quarter_ms()), 0))::bigint AS charged_micros,
       coalesce((SELECT sum(f.amount_micros)::bigint FROM dispute_finding f JOIN dispute d USING (dispute_id)
                  WHERE f.site_id = $1::bigint AND f.found_at > since.at AND d.crawler_id = $2::bigint
                    AND f.rule <> 'person'), 0) AS upheld_micros,
       coalesce(a.dispute_share_ppm, -1) AS share_ppm, coalesce(a.dispute_limit_micros, -1) AS limit_micros
  FROM since LEFT JOIN LATERAL (
      SELECT v.* FROM agreement v
       WHERE v.site_id = $1::bigint AND v.crawler_id = $2::bigint AND v.valid_from <= instant($3::bigint)
       ORDER BY v.version DESC LIMIT 1) AS a ON true
