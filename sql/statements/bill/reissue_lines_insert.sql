-- The lines of the invoices that are made in place of void ones on day $2 of site $1: those of the void one,
-- and behind them what credit notes took back of it.
INSERT INTO invoice_line (site_id, number, line, kind, description, quantity, unit_price_micros,
                          amount_micros, adjustment_id)
SELECT i.site_id, i.number, l.line, l.kind, l.description, l.quantity, l.unit_price_micros, l.amount_micros,
       l.adjustment_id
  FROM invoice i JOIN invoice_line l ON l.site_id = i.site_id AND l.number = i.replaces
 WHERE i.site_id = $1::bigint AND i.local_date = $2::date
UNION ALL
SELECT i.site_id, i.number,
       (SELECT count(*) FROM invoice_line o WHERE o.site_id = i.site_id AND o.number = i.replaces)
           + row_number() OVER (PARTITION BY i.number ORDER BY l.adjustment_id),
       l.kind, upper(left(l.kind, 1)) || substr(l.kind, 2) || ' of payment ' || a.payment_id || ': '
           || a.reason,
       l.quantity, l.unit_price_micros, l.amount_micros, l.adjustment_id
  FROM invoice i JOIN crawler_day_line l ON l.site_id = i.site_id AND l.corrects = i.replaces
   AND l.kind NOT IN ('void', 'reissue')
  JOIN adjustment a USING (adjustment_id)
 WHERE i.site_id = $1::bigint AND i.local_date = $2::date
