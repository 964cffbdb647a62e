CREATE OR REPLACE FUNCTION billing_invoice(of_site bigint, of_crawler bigint, of_payment uuid,
                                           before_close bigint)
    RETURNS text
    LANGUAGE sql STABLE AS $$
    SELECT coalesce((
               SELECT r.number FROM invoice r JOIN day_close e USING (site_id, local_date)
                WHERE r.site_id = of_site AND r.crawler_id = of_crawler AND r.crawls_date = i.local_date
                  AND e.close_number < before_close
                ORDER BY e.close_number DESC LIMIT 1), i.number)
      FROM day d
      JOIN crawler_day t ON t.site_id = d.site_id AND t.local_date = d.local_date
       AND t.crawler_id = of_crawler
      JOIN crawler_day b ON b.site_id = d.site_id AND b.crawler_id = of_crawler AND b.invoiced_micros > 0
       AND b.close_number >= t.close_number AND b.close_number < before_close
      JOIN invoice i ON i.site_id = d.site_id AND i.local_date = b.local_date AND i.crawler_id = of_crawler
       AND i.kind = 'invoice' AND i.replaces IS NULL
     WHERE d.site_id = of_site AND d.starts_at <= uuid_instant(of_payment)
       AND d.ends_at > uuid_instant(of_payment)
     ORDER BY b.close_number LIMIT 1
$$;
COMMENT ON FUNCTION billing_invoice IS 'The invoice that a charge stands on, among those of closes before
the given one: the first that was made on its day or later, or the last one that was made in its place.
NULL: it is not invoiced yet.';
