-- Promise P4, recomputed from the entries before the day is sealed: how many crawlers' sums disagree
-- anywhere on the way from entries to lines. Zero, or the transaction is given up.
WITH entered AS (
    SELECT c.crawler_id, count(*) AS entries, sum(c.amount_micros) AS sum_micros
      FROM day d JOIN charge c ON c.site_id = d.site_id
       AND c.payment_id >= uuid_floor(d.starts_at) AND c.payment_id < uuid_floor(d.ends_at)
     WHERE d.site_id = $1::bigint AND d.local_date = $2::date GROUP BY c.crawler_id
), billed AS (
    SELECT i.crawler_id, i.carried_in_micros + sum(l.amount_micros) - i.carried_out_micros AS total_micros
      FROM invoice i JOIN invoice_line l USING (site_id, number)
     WHERE i.site_id = $1::bigint AND i.local_date = $2::date
     GROUP BY i.crawler_id, i.carried_in_micros, i.carried_out_micros
), closed AS (
    SELECT * FROM crawler_day WHERE site_id = $1::bigint AND local_date = $2::date
)
SELECT count(*) FROM entered FULL JOIN closed USING (crawler_id) FULL JOIN billed USING (crawler_id)
 WHERE entered.entries IS DISTINCT FROM closed.entries
     OR entered.sum_micros IS DISTINCT FROM closed.sum_micros
    OR coalesce(billed.total_micros, 0) IS DISTINCT FROM closed.invoiced_micros
