-- A charge, what was taken back of it, the invoice that it stands on, what was taken back of that since (what
-- was before is a line of it), and whether that is void.
WITH subject AS (
    SELECT c.payment_id, c.site_id, c.crawler_id, c.amount_micros, s.currency, s.name, billing_invoice(
               c.site_id, c.crawler_id, c.payment_id, 9223372036854775807) AS number
      FROM charge c JOIN site s USING (site_id) WHERE c.payment_id = $1::uuid
)
SELECT c.site_id, c.crawler_id, c.amount_micros,
       coalesce((SELECT sum(a.amount_micros)::bigint FROM adjustment a WHERE a.payment_id = c.payment_id), 0),
       c.currency, c.name, c.number, i.subtotal_micros,
       coalesce((SELECT sum(a.amount_micros)::bigint FROM adjustment a
                  WHERE a.site_id = c.site_id AND a.crawler_id = c.crawler_id
                    AND coalesce(a.number, billing_invoice(a.site_id, a.crawler_id, a.payment_id,
                                                           9223372036854775807)) = c.number
                    AND NOT EXISTS (SELECT FROM crawler_day_line l
                                     WHERE l.adjustment_id = a.adjustment_id
                                       AND l.local_date <= i.local_date)), 0),
       EXISTS (SELECT FROM invoice_event e
                WHERE e.site_id = c.site_id AND e.number = c.number AND e.event = 'void')
  FROM subject c LEFT JOIN invoice i USING (site_id, number)
