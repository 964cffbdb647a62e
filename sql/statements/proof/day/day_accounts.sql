-- The crawlers of day $2 of site $1 in the order of their numbers, with the totals of the day's crawls.
-- columns: crawler_id bigint, agent text, entries bigint, sum_micros bigint
SELECT l.crawler_id, c.agent, sum(l.quantity)::bigint AS entries,
       sum(l.amount_micros)::bigint AS sum_micros
  FROM crawler_day_line l JOIN crawler c USING (crawler_id)
 WHERE l.site_id = $1::bigint AND l.local_date = $2::date AND l.kind = 'crawls'
 GROUP BY l.crawler_id, c.agent ORDER BY l.crawler_id
