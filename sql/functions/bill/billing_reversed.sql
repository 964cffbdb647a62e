CREATE OR REPLACE FUNCTION billing_reversed(of_site bigint, of_number text, of_date date) RETURNS boolean
    LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(a.amount_micros), 0) >= i.subtotal_micros
           OR coalesce(bool_or(a.kind = 'void'), false)
      FROM billing_day(of_site, of_date) b JOIN invoice i ON i.site_id = of_site AND i.number = of_number
      LEFT JOIN adjustment a ON a.site_id = of_site AND a.crawler_id = i.crawler_id
       AND a.adjustment_id < b.end_id AND a.kind <> 'reissue'
       AND coalesce(a.number, billing_invoice(of_site, i.crawler_id, a.payment_id, b.close_number))
           = of_number
       AND NOT EXISTS (SELECT FROM invoice_line l WHERE l.site_id = of_site AND l.number = of_number
                          AND l.adjustment_id = a.adjustment_id)
     GROUP BY i.subtotal_micros
$$;
COMMENT ON FUNCTION billing_reversed IS 'Whether all that an invoice says was taken back by the end of a
day, or it is void. Then a credit note is over all that is left of it: what single credit notes were rounded
down by, and what the invoice was rounded by itself, would stay open for ever.';
