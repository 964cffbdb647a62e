-- Entries that their signers did not sign are not billed: the night judges each of them.

CREATE TABLE offer_terms (
    site_id bigint NOT NULL REFERENCES site,
    terms_url text NOT NULL CHECK (terms_url <> ''),
    ttl_seconds integer NOT NULL CHECK (ttl_seconds BETWEEN 1 AND 3600),
    first_used_at timestamptz NOT NULL,
    PRIMARY KEY (site_id, terms_url, ttl_seconds)
);
COMMENT ON TABLE offer_terms IS 'Under which terms gates have made offers, and how long these held. Payment
ids are bound to the terms: whoever opens one of last week must know those of last week.';
SELECT make_append_only('offer_terms');

CREATE TABLE unproven (
    payment_id uuid PRIMARY KEY,
    site_id bigint NOT NULL REFERENCES site,
    crawler_id bigint NOT NULL,
    amount_micros bigint NOT NULL,
    reason text NOT NULL CHECK (reason ~ '^[a-z][a-z_]*$')
);
COMMENT ON TABLE unproven IS 'Entries that the close of their day found not to be what their signer signed.
No day bills them. A payment that is in no row here, and whose day is closed, is billed or was not judged
(day_close.unproven).';
COMMENT ON COLUMN unproven.crawler_id IS 'As the entry says, which may be whoever was not asked.';
COMMENT ON COLUMN unproven.reason IS 'The first check that failed, by its name (ledger/evidence/judge.h).';
CREATE INDEX unproven_site ON unproven (site_id, payment_id);
SELECT make_append_only('unproven');

ALTER TABLE day_close ADD COLUMN unproven bigint CHECK (unproven >= 0);
COMMENT ON COLUMN day_close.unproven IS 'How many entries of the day are not proven, and not billed. NULL:
they were not judged.';

CREATE VIEW billable AS
SELECT c.payment_id, c.site_id, c.crawler_id, c.amount_micros, c.rule
  FROM charge c WHERE NOT EXISTS (SELECT FROM unproven u WHERE u.payment_id = c.payment_id);
COMMENT ON VIEW billable IS 'The entries that are billed, or will be: all but those of unproven.';

CREATE OR REPLACE FUNCTION billing_discounts(of_site bigint, of_date date)
    RETURNS TABLE (crawler_id bigint, kind text, rule text, unit_price_micros bigint, quantity bigint,
                   detail text)
    LANGUAGE sql STABLE AS $$
    WITH counted AS (
        SELECT t.*, a.included_crawls, a.subscription
          FROM billing_terms(of_site, of_date) t JOIN agreement a USING (agreement_id) WHERE t.entries > 0
    ), band AS (
        -- From and to: numbers of crawls in the period. Included crawls come first, then tiers.
        SELECT c.crawler_id, c.crawls_before, c.entries, 'included' AS kind, 1 AS from_crawl,
               c.included_crawls AS to_crawl, 1000000 AS discount_ppm, '' AS detail
          FROM counted c WHERE NOT c.subscription AND c.included_crawls > 0
        UNION ALL
        SELECT c.crawler_id, c.crawls_before, c.entries, 'tier', c.included_crawls + r.from_crawl,
               c.included_crawls + coalesce(lead(r.from_crawl)
                   OVER (PARTITION BY c.crawler_id ORDER BY r.from_crawl) - 1, 1000000000000000),
               r.discount_ppm, rate_text(r.discount_ppm) || ' off from crawl ' || r.from_crawl
          FROM counted c JOIN agreement_tier r USING (agreement_id) WHERE NOT c.subscription
    ), touched AS (
        SELECT * FROM band WHERE from_crawl <= crawls_before + entries AND to_crawl > crawls_before
    ), price AS (
        SELECT l.crawler_id, l.rule, l.unit_price_micros AS price, l.quantity FROM crawler_day_line l
         WHERE l.site_id = of_site AND l.local_date = of_date AND l.kind = 'crawls'
    ), split AS (
        -- Days in which a band begins or ends: only there do single entries have to be counted.
        SELECT DISTINCT crawler_id, crawls_before FROM touched
         WHERE from_crawl > crawls_before + 1 OR to_crawl < crawls_before + entries
    ), numbered AS (
        SELECT c.crawler_id, c.rule, c.amount_micros AS price,
               s.crawls_before + row_number() OVER (PARTITION BY c.crawler_id ORDER BY c.payment_id) AS nth
          FROM billing_day(of_site, of_date) b JOIN billable c ON c.site_id = of_site
           AND c.payment_id >= b.first_id AND c.payment_id < b.end_id
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
rounded down to the micro-unit for each crawl, so that it does not depend on how days divide a period.';

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

DO $$
DECLARE
    gate text := current_setting('crawltab.gate_role');
    night text := current_setting('crawltab.operator_role');
BEGIN
    EXECUTE format('GRANT SELECT, INSERT ON offer_terms TO %I', gate);
    EXECUTE format('GRANT SELECT ON offer_terms, billable TO %I', night);
    EXECUTE format('GRANT SELECT, INSERT ON unproven TO %I', night);
END
$$;
