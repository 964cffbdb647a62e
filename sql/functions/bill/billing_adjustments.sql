CREATE OR REPLACE FUNCTION billing_adjustments(of_site bigint, of_date date)
    RETURNS TABLE (adjustment_id uuid, crawler_id bigint, kind text, amount_micros bigint, corrects text)
    LANGUAGE sql STABLE AS $$
    WITH fresh AS (
        SELECT a.*, b.minor, coalesce(a.number,
                   billing_invoice(of_site, a.crawler_id, a.payment_id, b.close_number)) AS invoice
          FROM billing_day(of_site, of_date) b JOIN adjustment a ON a.adjustment_id < b.end_id
         WHERE a.site_id = of_site
           AND NOT EXISTS (SELECT FROM crawler_day_line l
                            WHERE l.adjustment_id = a.adjustment_id AND l.local_date < of_date)
           AND NOT EXISTS (SELECT FROM unproven u WHERE u.payment_id = a.payment_id)
    ), sums AS (
        SELECT f.invoice, least(CASE WHEN NOT billing_reversed(of_site, f.invoice, of_date)
                                     THEN sum(f.amount_micros) END,
                   i.net_micros - coalesce((
                       SELECT sum(n.net_micros) FROM invoice n
                        WHERE n.site_id = of_site AND n.corrects = f.invoice AND n.local_date < of_date), 0)
               ) >= min(f.minor) AS noted
          FROM fresh f JOIN invoice i ON i.site_id = of_site AND i.number = f.invoice
         WHERE f.kind <> 'reissue'
         GROUP BY f.invoice, i.net_micros
    )
    SELECT f.adjustment_id, f.crawler_id, f.kind, f.amount_micros,
           CASE WHEN sums.noted OR f.kind = 'reissue' THEN f.invoice END
      FROM fresh f LEFT JOIN sums USING (invoice)
$$;
COMMENT ON FUNCTION billing_adjustments IS 'The adjustments that a day''s close takes up. Those of charges
that stand on an invoice are for a credit note to it, unless they come to less than a minor unit (and do not
take back the last of it) or nothing is left of the invoice; these, and those of charges that are not
invoiced yet, go on the next invoice. Of what is never billed nothing is taken back. A reissue bills again
what a void takes back, on an invoice of its own.';
