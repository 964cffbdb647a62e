-- Crawls at no price, such as repeats of what was paid, are no included crawls and count towards no tier.

CREATE OR REPLACE FUNCTION paid_crawls(of_site bigint, of_date date, of_crawler bigint) RETURNS bigint
    LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(l.quantity), 0)::bigint FROM crawler_day_line l
     WHERE l.site_id = of_site AND l.local_date = of_date AND l.crawler_id = of_crawler AND l.kind = 'crawls'
       AND l.unit_price_micros > 0
$$;
COMMENT ON FUNCTION paid_crawls IS 'How many crawls of a crawler''s day cost something: those that included
crawls and tiers count. What was free uses up none, and brings nobody nearer to a discount.';

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

CREATE OR REPLACE FUNCTION billing_discounts(of_site bigint, of_date date)
    RETURNS TABLE (crawler_id bigint, kind text, rule text, unit_price_micros bigint, quantity bigint,
                   detail text)
    LANGUAGE sql STABLE AS $$
    WITH counted AS (
        SELECT t.crawler_id, t.agreement_id, t.crawls_before, p.paid AS crawls, a.included_crawls,
               a.subscription
          FROM billing_terms(of_site, of_date) t JOIN agreement a USING (agreement_id),
               LATERAL paid_crawls(of_site, of_date, t.crawler_id) AS p (paid)
         WHERE p.paid > 0
    ), band AS (
        -- From and to: numbers of crawls in the period. Included crawls come first, then tiers.
        SELECT c.crawler_id, c.crawls_before, c.crawls, 'included' AS kind, 1 AS from_crawl,
               c.included_crawls AS to_crawl, 1000000 AS discount_ppm, '' AS detail
          FROM counted c WHERE NOT c.subscription AND c.included_crawls > 0
        UNION ALL
        SELECT c.crawler_id, c.crawls_before, c.crawls, 'tier', c.included_crawls + r.from_crawl,
               c.included_crawls + coalesce(lead(r.from_crawl)
                   OVER (PARTITION BY c.crawler_id ORDER BY r.from_crawl) - 1, 1000000000000000),
               r.discount_ppm, rate_text(r.discount_ppm) || ' off from crawl ' || r.from_crawl
          FROM counted c JOIN agreement_tier r USING (agreement_id) WHERE NOT c.subscription
    ), touched AS (
        SELECT * FROM band WHERE from_crawl <= crawls_before + crawls AND to_crawl > crawls_before
    ), price AS (
        SELECT l.crawler_id, l.rule, l.unit_price_micros AS price, l.quantity FROM crawler_day_line l
         WHERE l.site_id = of_site AND l.local_date = of_date AND l.kind = 'crawls'
    ), split AS (
        -- Days in which a band begins or ends: only there do single entries have to be counted.
        SELECT DISTINCT crawler_id, crawls_before FROM touched
         WHERE from_crawl > crawls_before + 1 OR to_crawl < crawls_before + crawls
    ), numbered AS (
        SELECT c.crawler_id, c.rule, c.amount_micros AS price,
               s.crawls_before + row_number() OVER (PARTITION BY c.crawler_id ORDER BY c.payment_id) AS nth
          FROM billing_day(of_site, of_date) b JOIN billable c ON c.site_id = of_site
           AND c.payment_id >= b.first_id AND c.payment_id < b.end_id
           AND c.amount_micros > 0
          JOIN split s USING (crawler_id)
    ), found AS (
        SELECT b.crawler_id, b.kind, b.detail, b.discount_ppm, p.rule, p.price, p.quantity
          FROM touched b JOIN price p USING (crawler_id)
         WHERE NOT EXISTS (SELECT FROM split s WHERE s.crawler_id = b.crawler_id)
        UNION ALL
        SELECT b.crawler_id, b.kind, b.detail, b.discount_ppm, n.rule, n.price, count(*)
          FROM touched b JOIN numbered n ON n.crawler_id = b.crawler_id
           AND n.nth BETWEEN b.from_crawl AND b.to_crawl
         GROUP BY b.crawler_id, b.kind, b.detail, b.discount_ppm, n.rule, n.price
        UNION ALL
        SELECT c.crawler_id, 'subscription', '', 1000000, p.rule, p.price, p.quantity
          FROM counted c JOIN price p USING (crawler_id) WHERE c.subscription
    )
    SELECT f.crawler_id, f.kind, f.rule, share_of(f.price, f.discount_ppm), -sum(f.quantity)::bigint,
           CASE f.kind WHEN 'tier' THEN f.detail || ' at ' || micros_text(f.price) ELSE '' END
      FROM found f WHERE share_of(f.price, f.discount_ppm) > 0
     GROUP BY f.crawler_id, f.kind, f.rule, f.price, f.discount_ppm, f.detail
$$;
COMMENT ON FUNCTION billing_discounts IS 'What the terms take off the day''s crawls: covered by a
subscription, included, or discounted by tiers, in the order of payment ids within the period. A discount is
rounded down to the micro-unit for each crawl, so that it does not depend on how days divide a period. Crawls
at no price are not counted (paid_crawls).';

CREATE OR REPLACE FUNCTION billing_undelivered(of_site bigint, of_date date)
    RETURNS TABLE (payment_id uuid, crawler_id bigint, amount_micros bigint)
    LANGUAGE sql STABLE AS $$
    WITH lost AS (
        SELECT c.payment_id, c.crawler_id, c.amount_micros, b.first_id, b.end_id
          FROM billing_day(of_site, of_date) b
          JOIN undelivered u ON u.site_id = of_site AND u.payment_id >= b.first_id AND u.payment_id < b.end_id
          JOIN billable c ON c.payment_id = u.payment_id AND c.site_id = of_site
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
          JOIN billable c ON c.site_id = of_site AND c.payment_id >= b.first_id AND c.payment_id < b.end_id
           AND c.amount_micros > 0
          JOIN terms t ON t.crawler_id = c.crawler_id AND t.counts
    ), billed AS (
        SELECT l.payment_id, l.crawler_id, l.amount_micros - share_of(l.amount_micros,
                   CASE WHEN t.subscription OR n.nth <= 0 THEN 1000000 ELSE coalesce((
                       SELECT r.discount_ppm FROM agreement_tier r
                        WHERE r.agreement_id = t.agreement_id AND r.from_crawl <= n.nth
                        ORDER BY r.from_crawl DESC LIMIT 1), 0) END)
               - coalesce((SELECT sum(a.amount_micros)::bigint FROM adjustment a
                            WHERE a.payment_id = l.payment_id), 0) AS amount_micros
          FROM lost l LEFT JOIN terms t USING (crawler_id) LEFT JOIN numbered n USING (payment_id)
    )
    SELECT b.payment_id, b.crawler_id, b.amount_micros FROM billed b WHERE b.amount_micros > 0
$$;
COMMENT ON FUNCTION billing_undelivered IS 'What a day''s close has to take back: of pages that were paid for
and not delivered whole, what the terms have not taken off and nobody has taken back.';

COMMENT ON COLUMN crawler_day.period_crawls_before IS 'Crawls of the period before this day that cost
something.';
