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
          FROM billing_day(of_site, of_date) b
          JOIN LATERAL billable_range(b.first_id, b.end_id) c ON c.site_id = of_site AND c.amount_micros > 0
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
