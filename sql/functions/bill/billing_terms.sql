CREATE OR REPLACE FUNCTION billing_terms(of_site bigint, of_date date)
    RETURNS TABLE (crawler_id bigint, agreement_id bigint, period_end boolean, carried_in_micros bigint,
                   crawls_before bigint, micros_before bigint, entries bigint, sum_micros bigint)
    LANGUAGE sql STABLE AS $$
    WITH crawled AS (
        SELECT l.crawler_id, sum(l.quantity)::bigint AS entries, sum(l.amount_micros)::bigint AS sum_micros
          FROM crawler_day_line l
         WHERE l.site_id = of_site AND l.local_date = of_date AND l.kind = 'crawls' GROUP BY l.crawler_id
    ), adjusted AS (
        SELECT DISTINCT a.crawler_id FROM billing_adjustments(of_site, of_date) a
    ), known AS (
        SELECT c.crawler_id, a.agreement_id, a.fee_micros > 0 OR a.minimum_fee_micros > 0
               OR a.fee_proration = 'daily' AND EXISTS (
                   SELECT FROM agreement f WHERE f.site_id = of_site AND f.crawler_id = c.crawler_id
                      AND f.fee_micros > 0 AND f.valid_from < b.ends_at) AS fees,
               CASE WHEN f.hold THEN 9223372036854775807
                    ELSE greatest(coalesce(a.minimum_invoice_micros, f.minimum_invoice_micros, 0), b.minor)
                    END AS least_micros,
               CASE coalesce(a.cadence, f.cadence, 'daily')
                   WHEN 'weekly' THEN date_trunc('week', b.next_date) <> date_trunc('week', of_date)
                   WHEN 'monthly' THEN date_trunc('month', b.next_date) <> date_trunc('month', of_date)
                   ELSE true END AS period_end,
               before.carried_out_micros AS carried_micros, NOT before.period_end AS in_period,
               before.local_date AS before_date, before.period_crawls_before AS crawls,
               before.period_micros_before + before.sum_micros + before.terms_micros AS micros
          FROM billing_day(of_site, of_date) b CROSS JOIN crawler c
          LEFT JOIN crawler_day today ON today.site_id = of_site AND today.local_date = of_date
           AND today.crawler_id = c.crawler_id
          LEFT JOIN LATERAL (SELECT v.agreement_id FROM agreement v
                 WHERE v.site_id = of_site AND v.crawler_id = c.crawler_id AND v.valid_from < b.ends_at
                 ORDER BY v.version DESC LIMIT 1) AS force ON true
          LEFT JOIN agreement a ON a.agreement_id = CASE WHEN today.crawler_id IS NULL
                                                         THEN force.agreement_id ELSE today.agreement_id END
          LEFT JOIN billing_defaults(of_site, of_date) f ON a.agreement_id IS NULL
          LEFT JOIN LATERAL (SELECT t.* FROM crawler_day t
                 WHERE t.site_id = of_site AND t.crawler_id = c.crawler_id AND t.close_number < b.close_number
                 ORDER BY t.close_number DESC LIMIT 1) AS before ON true
    )
    SELECT k.crawler_id, k.agreement_id, k.period_end, coalesce(k.carried_micros, 0),
           CASE WHEN k.in_period THEN k.crawls + paid_crawls(of_site, k.before_date, k.crawler_id) ELSE 0 END,
           CASE WHEN k.in_period THEN k.micros ELSE 0 END,
           coalesce(crawled.entries, 0), coalesce(crawled.sum_micros, 0)
      FROM known k LEFT JOIN crawled USING (crawler_id) LEFT JOIN adjusted USING (crawler_id)
     WHERE crawled.crawler_id IS NOT NULL OR adjusted.crawler_id IS NOT NULL
        OR k.period_end AND (k.fees OR k.in_period OR k.carried_micros >= k.least_micros
                             AND billing_unbilled(of_site, k.crawler_id, of_date))
$$;
COMMENT ON FUNCTION billing_terms IS 'The crawlers that a day concerns: with crawls, with adjustments, or
with a period that ends with the day and has a fee, days before, or enough carried for an invoice.';
