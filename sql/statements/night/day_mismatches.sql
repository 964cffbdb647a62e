-- Promise P4, recomputed before the day is closed: how many crawlers' sums disagree anywhere on the way from
-- lines to invoices and credit notes. That the lines are the entries' is checked by the pass that proves
-- them.
-- columns: crawlers bigint
WITH lined AS (
    SELECT crawler_id, sum(quantity) AS entries, sum(amount_micros) AS sum_micros
      FROM crawler_day_line WHERE site_id = $1::bigint AND local_date = $2::date AND kind = 'crawls'
     GROUP BY crawler_id
), document AS (
    SELECT i.crawler_id, CASE WHEN i.replaces IS NULL THEN i.kind ELSE 'reissue' END AS kind,
           i.carried_in_micros + sum(l.amount_micros) - i.carried_out_micros AS micros
      FROM invoice i JOIN invoice_line l USING (site_id, number)
     WHERE i.site_id = $1::bigint AND i.local_date = $2::date
     GROUP BY i.site_id, i.number
), billed AS (
    SELECT crawler_id, sum(micros) FILTER (WHERE kind = 'invoice') AS invoiced_micros,
           sum(micros) FILTER (WHERE kind = 'reissue') AS reissued_micros,
           sum(micros) FILTER (WHERE kind = 'credit-note') AS credited_micros
      FROM document GROUP BY crawler_id
), closed AS (
    SELECT * FROM crawler_day WHERE site_id = $1::bigint AND local_date = $2::date
)
SELECT count(*) AS crawlers FROM lined FULL JOIN closed USING (crawler_id) FULL JOIN billed USING (crawler_id)
 WHERE coalesce(lined.entries, 0) IS DISTINCT FROM closed.entries
    OR coalesce(lined.sum_micros, 0) IS DISTINCT FROM closed.sum_micros
    OR coalesce(billed.invoiced_micros, 0) IS DISTINCT FROM closed.invoiced_micros
    OR coalesce(billed.credited_micros, 0) IS DISTINCT FROM closed.credited_micros
    OR coalesce(billed.reissued_micros, 0) IS DISTINCT FROM closed.reissued_micros
