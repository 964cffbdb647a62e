INSERT INTO invoice_line (site_id, number, line, description, quantity, unit_price_micros, amount_micros)
SELECT i.site_id, i.number,
       row_number() OVER (PARTITION BY i.number ORDER BY l.rule COLLATE "C", l.unit_price_micros),
       l.rule, l.quantity, l.unit_price_micros, l.amount_micros
  FROM invoice i JOIN crawler_day_line l USING (site_id, local_date, crawler_id)
 WHERE i.site_id = $1::bigint AND i.local_date = $2::date
