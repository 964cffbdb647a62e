CREATE OR REPLACE FUNCTION disputed_amount(of_site bigint, of_number text) RETURNS bigint
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(sum(s.amount_micros - coalesce(u.upheld_micros, 0)), 0)::bigint
      FROM invoice i
      JOIN dispute d ON d.site_id = i.site_id AND d.crawler_id = i.crawler_id
      JOIN dispute_subject s USING (dispute_id)
     CROSS JOIN LATERAL (
          SELECT sum(f.amount_micros) AS upheld_micros
            FROM dispute_finding f CROSS JOIN LATERAL charge_of(f.payment_id) c
            JOIN invoice_line l ON l.description = c.rule AND l.unit_price_micros = c.amount_micros
           WHERE f.dispute_id = s.dispute_id AND l.site_id = s.site_id AND l.number = s.number
             AND l.line = s.line) AS u
     WHERE i.site_id = of_site AND i.number = of_number AND i.kind = 'invoice'
       AND NOT EXISTS (SELECT FROM dispute_event e WHERE e.dispute_id = d.dispute_id
                          AND e.event IN ('upheld', 'part_upheld', 'rejected'))
       AND coalesce(s.number, billing_invoice(i.site_id, i.crawler_id, s.payment_id, 9223372036854775807))
           = of_number
       AND NOT EXISTS (SELECT FROM dispute_finding f
                        WHERE f.dispute_id = s.dispute_id AND f.payment_id = s.payment_id)
$$;
COMMENT ON FUNCTION disputed_amount IS 'How much of what an invoice bills is in open disputes, by the prices
of crawls and the amounts of lines; without what was upheld of them already.';
