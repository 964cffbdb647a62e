-- Batches of site $1 (NULL: all), newest first, or batch $2 alone.
SELECT b.batch_id, s.name, b.rail, b.currency, b.invoices, b.total_minor, instant_ms(b.made_at),
       b.collect_on, s.currency_decimals, b.content
  FROM settlement_batch b JOIN site s USING (site_id)
 WHERE ($1::text IS NULL OR s.name = $1::text) AND ($2::uuid IS NULL OR b.batch_id = $2::uuid)
 ORDER BY b.made_at DESC, b.batch_id
