-- Batches of site $1 (NULL: all), newest first, or batch $2 alone.
-- columns: batch_id uuid, site text, rail text, currency text, invoices bigint, total_minor bigint,
--   collect_on date, currency_decimals smallint, content bytea
SELECT b.batch_id, s.name AS site, b.rail, b.currency, b.invoices, b.total_minor,
       b.collect_on, s.currency_decimals, b.content
  FROM settlement_batch b JOIN site s USING (site_id)
 WHERE ($1::text IS NULL OR s.name = $1::text) AND ($2::uuid IS NULL OR b.batch_id = $2::uuid)
 ORDER BY b.made_at DESC, b.batch_id
