-- The one pass over the entries of a day that are billed: a range of ids.
INSERT INTO crawler_day_line (site_id, local_date, crawler_id, rule, unit_price_micros, quantity,
    amount_micros)
SELECT d.site_id, d.local_date, c.crawler_id, c.rule, c.amount_micros, count(*), sum(c.amount_micros)::bigint
  FROM day d
  JOIN LATERAL billable_range(uuid_floor(d.starts_at), uuid_floor(d.ends_at)) c ON c.site_id = d.site_id
 WHERE d.site_id = $1::bigint AND d.local_date = $2::date
 GROUP BY d.site_id, d.local_date, c.crawler_id, c.rule, c.amount_micros
