-- The crawlers of day $2 of site $1 in the order of their numbers, those of whom nothing is billed among
-- them, with the totals of the day's crawls.
-- columns: crawler_id bigint, agent text, entries bigint, sum_micros bigint
WITH line AS (
    SELECT l.crawler_id, l.quantity, l.amount_micros FROM crawler_day_line l
     WHERE l.site_id = $1::bigint AND l.local_date = $2::date AND l.kind = 'crawls'
    UNION ALL
    SELECT u.crawler_id, 0, 0
      FROM day d JOIN unproven u ON u.site_id = d.site_id AND u.payment_id >= uuid_floor(d.starts_at)
       AND u.payment_id < uuid_floor(d.ends_at)
     WHERE d.site_id = $1::bigint AND d.local_date = $2::date
)
SELECT l.crawler_id, c.agent, sum(l.quantity)::bigint AS entries, sum(l.amount_micros)::bigint AS sum_micros
  FROM line l JOIN crawler c USING (crawler_id) GROUP BY l.crawler_id, c.agent ORDER BY l.crawler_id
