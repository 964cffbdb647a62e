CREATE OR REPLACE FUNCTION billing_undelivered(of_site bigint, of_date date)
    RETURNS TABLE (payment_id uuid, crawler_id bigint, amount_micros bigint)
    LANGUAGE sql STABLE AS $$
    WITH lost AS (
        SELECT c.payment_id, c.crawler_id, c.amount_micros, coalesce(u.final_micros, 0) AS final_micros
          FROM billing_day(of_site, of_date) b
          JOIN undelivered u ON u.site_id = of_site AND u.payment_id >= b.first_id AND u.payment_id < b.end_id
          JOIN LATERAL charge_range(b.first_id, b.end_id) c ON c.site_id = of_site
           AND c.payment_id = u.payment_id
           AND NOT EXISTS (SELECT FROM unproven n WHERE n.payment_id = u.payment_id)
         -- Two requests with one id at the same time: the answer to the second came whole.
         WHERE NOT (u.told_by = 'gate' AND u.final_micros IS NULL AND EXISTS (
                   SELECT FROM delivery d WHERE d.payment_id = u.payment_id AND d.repeated
                      AND d.ended = 'whole' AND d.status = 200 AND d.sent_bytes > 0))
    ), terms AS (
        SELECT t.crawler_id, t.crawls_before, a.agreement_id, a.subscription, a.included_crawls,
               NOT a.subscription AND (a.included_crawls > 0 OR EXISTS (
                   SELECT FROM agreement_tier r WHERE r.agreement_id = a.agreement_id)) AS counts
          FROM billing_terms(of_site, of_date) t JOIN agreement a USING (agreement_id)
         WHERE t.crawler_id IN (SELECT l.crawler_id FROM lost l)
    ), numbered AS (
        -- As billing_discounts numbers them.
        SELECT c.payment_id, t.crawls_before - t.included_crawls
               + row_number() OVER (PARTITION BY c.crawler_id ORDER BY c.payment_id) AS nth
          FROM billing_day(of_site, of_date) b
          JOIN LATERAL billable_range(b.first_id, b.end_id) c ON c.site_id = of_site AND c.amount_micros > 0
          JOIN terms t ON t.crawler_id = c.crawler_id AND t.counts
    ), discounted AS (
        SELECT l.*, CASE WHEN t.subscription OR n.nth <= 0 THEN 1000000 ELSE coalesce((
                       SELECT r.discount_ppm FROM agreement_tier r
                        WHERE r.agreement_id = t.agreement_id AND r.from_crawl <= n.nth
                        ORDER BY r.from_crawl DESC LIMIT 1), 0) END AS ppm
          FROM lost l LEFT JOIN terms t USING (crawler_id) LEFT JOIN numbered n USING (payment_id)
    ), billed AS (
        -- What is left is as if the entry had been of the final amount.
        SELECT d.payment_id, d.crawler_id, d.amount_micros - share_of(d.amount_micros, d.ppm)
               - (d.final_micros - share_of(d.final_micros, d.ppm))
               - coalesce((SELECT sum(a.amount_micros)::bigint FROM adjustment a
                            WHERE a.payment_id = d.payment_id), 0) AS amount_micros
          FROM discounted d
    )
    SELECT b.payment_id, b.crawler_id, b.amount_micros FROM billed b WHERE b.amount_micros > 0
$$;
COMMENT ON FUNCTION billing_undelivered IS 'What a day''s close has to take back: of pages that were paid for
and not delivered whole, or billed at a lower final amount, what the terms have not taken off and nobody has
taken back.';
