-- Promise P4, recomputed before the day is closed: how many crawlers' sums disagree anywhere on the way from
-- lines to invoices. That the lines are the entries' is checked by the pass that proves them.
WITH lined AS (
    SELECT crawler_id, sum(quantity) AS entries, sum(amount_micros) AS sum_micros
      FROM crawler_day_line WHERE site_id = $1::bigint AND local_date = $2::date GROUP BY crawler_id
), billed AS (
    SELECT i.crawler_id, i.carried_in_micros + sum(l.amount_micros) - i.carried_out_micros AS total_micros
      FROM invoice i JOIN invoice_line l USING (site_id, number)
     WHERE i.site_id = $1::bigint AND i.local_date = $2::date
     GROUP BY i.crawler_id, i.carried_in_micros, i.carried_out_micros
), closed AS (
    SELECT * FROM crawler_day WHERE site_id = $1::bigint AND local_date = $2::date
)
SELECT count(*) FROM lined FULL JOIN closed USING (crawler_id) FULL JOIN billed USING (crawler_id)
 WHERE lined.entries IS DISTINCT FROM closed.entries
    OR lined.sum_micros IS DISTINCT FROM closed.sum_micros
    OR coalesce(billed.total_micros, 0) IS DISTINCT FROM closed.invoiced_micros
