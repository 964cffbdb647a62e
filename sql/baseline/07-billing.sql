-- What a day and a crawler come to: what the terms make of crawls, and what goes on an invoice.

CREATE FUNCTION billing_day(of_site bigint, of_date date)
    RETURNS TABLE (starts_at timestamptz, ends_at timestamptz, first_id uuid, end_id uuid,
                   close_number bigint, next_date date, minor bigint)
    LANGUAGE sql STABLE AS $$
    SELECT d.starts_at, d.ends_at, uuid_floor(d.starts_at), uuid_floor(d.ends_at),
           coalesce((SELECT c.close_number FROM day_close c
                      WHERE c.site_id = d.site_id AND c.local_date = d.local_date), 9223372036854775807),
           coalesce((SELECT n.local_date FROM day n
                      WHERE n.site_id = d.site_id AND n.local_date > d.local_date
                      ORDER BY n.local_date LIMIT 1), d.local_date + 1),
           minor_micros(s.currency_decimals)
      FROM day d JOIN site s USING (site_id) WHERE d.site_id = of_site AND d.local_date = of_date
$$;
COMMENT ON FUNCTION billing_day IS 'The bounds of a local day. close_number: its own, or that of a day that is
being closed, which comes after all others. next_date: what period a day ends depends on the next one, since
zones skip dates.';

CREATE FUNCTION billing_invoice(of_site bigint, of_crawler bigint, of_payment uuid,
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

CREATE FUNCTION billing_reversed(of_site bigint, of_number text, of_date date) RETURNS boolean
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

CREATE FUNCTION billing_adjustments(of_site bigint, of_date date)
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

CREATE FUNCTION billing_unbilled(of_site bigint, of_crawler bigint, of_date date) RETURNS boolean
    LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(l.amount_micros), 0) > 0
      FROM (SELECT of_date AS local_date
            UNION ALL
            SELECT t.local_date FROM billing_day(of_site, of_date) b
              JOIN crawler_day t ON t.site_id = of_site AND t.crawler_id = of_crawler
               AND t.close_number < b.close_number AND t.close_number > coalesce((
                       SELECT max(p.close_number) FROM crawler_day p
                        WHERE p.site_id = of_site AND p.crawler_id = of_crawler
                          AND p.invoiced_micros > 0 AND p.close_number < b.close_number), 0)) AS since
      JOIN crawler_day_line l ON l.site_id = of_site AND l.local_date = since.local_date
       AND l.crawler_id = of_crawler AND l.corrects IS NULL
$$;
COMMENT ON FUNCTION billing_unbilled IS 'Whether the lines of an invoice at a day''s end would come to more
than nothing. If not it is not made, however much the remainders of credit notes and reissued invoices have
come to: it could not say what it is for.';

CREATE FUNCTION paid_crawls(of_site bigint, of_date date, of_crawler bigint) RETURNS bigint
    LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(l.quantity), 0)::bigint FROM crawler_day_line l
     WHERE l.site_id = of_site AND l.local_date = of_date AND l.crawler_id = of_crawler AND l.kind = 'crawls'
       AND l.unit_price_micros > 0
$$;
COMMENT ON FUNCTION paid_crawls IS 'How many crawls of a crawler''s day cost something: those that included
crawls and tiers count. What was free uses up none, and brings nobody nearer to a discount.';

CREATE FUNCTION billing_terms(of_site bigint, of_date date)
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

CREATE FUNCTION billing_discounts(of_site bigint, of_date date)
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

CREATE FUNCTION billing_fees(of_site bigint, of_crawler bigint, of_agreement bigint,
                                        of_date date)
    RETURNS TABLE (micros bigint, detail text)
    LANGUAGE sql STABLE AS $$
    WITH period AS (
        SELECT a.fee_micros, a.fee_proration, greatest(
                   CASE a.cadence WHEN 'weekly' THEN date_trunc('week', of_date)::date
                        WHEN 'monthly' THEN date_trunc('month', of_date)::date ELSE of_date END,
                   (SELECT max(t.local_date) + 1 FROM crawler_day t
                     WHERE t.site_id = of_site AND t.crawler_id = of_crawler AND t.period_end
                       AND t.local_date < of_date)) AS first_date
          FROM agreement a WHERE a.agreement_id = of_agreement
    ), charged AS (
        SELECT v.fee_micros,
               CASE v.cadence WHEN 'weekly' THEN 7
                    WHEN 'monthly' THEN extract(day FROM date_trunc('month', d.local_date)
                                                         + interval '1 month - 1 day')::integer
                    ELSE 1 END AS days
          FROM period p
          JOIN day d ON d.site_id = of_site AND d.local_date BETWEEN p.first_date AND of_date
         CROSS JOIN LATERAL (
             SELECT f.* FROM agreement f
              WHERE f.site_id = of_site AND f.crawler_id = of_crawler AND f.valid_from < d.ends_at
              ORDER BY f.version DESC LIMIT 1) AS v
         WHERE p.fee_proration = 'daily' AND v.status = 'active'
    ), share AS (
        SELECT div(c.fee_micros::numeric * count(*), c.days)::bigint AS micros, c.fee_micros, c.days,
               count(*) AS charged_days
          FROM charged c GROUP BY c.fee_micros, c.days
    )
    SELECT p.fee_micros, '' FROM period p WHERE p.fee_proration = 'none' AND p.fee_micros > 0
    UNION ALL
    SELECT s.micros, CASE WHEN s.charged_days = s.days THEN '' ELSE
               s.charged_days || ' of ' || s.days || ' days of ' || micros_text(s.fee_micros) END
      FROM share s WHERE s.micros > 0
$$;
COMMENT ON FUNCTION billing_fees IS 'The fees of the period that ends with a day. Without proration that is
the whole fee of the terms in force at its end. By the day it is, for each day since the last period''s end,
a share of the fee in force at the day''s end, unless the crawler was suspended then; days of the same fee
are one line, rounded down to the micro-unit.';

CREATE FUNCTION billing_lines(of_site bigint, of_date date)
    RETURNS TABLE (crawler_id bigint, kind text, rule text, unit_price_micros bigint, quantity bigint,
                   detail text, adjustment_id uuid, corrects text)
    LANGUAGE sql STABLE AS $$
    WITH terms AS (
        SELECT t.*, a.minimum_fee_micros
          FROM billing_terms(of_site, of_date) t LEFT JOIN agreement a USING (agreement_id)
    ), fee AS (
        SELECT t.crawler_id, f.micros, f.detail
          FROM terms t CROSS JOIN billing_fees(of_site, t.crawler_id, t.agreement_id, of_date) f
         WHERE t.period_end
    ), discount AS (
        SELECT * FROM billing_discounts(of_site, of_date)
    ), short AS (
        SELECT t.crawler_id, t.minimum_fee_micros,
               t.minimum_fee_micros - (t.micros_before + t.sum_micros + coalesce((
                   SELECT sum(f.micros) FROM fee f WHERE f.crawler_id = t.crawler_id), 0) + coalesce((
                   SELECT sum(d.quantity * d.unit_price_micros) FROM discount d
                    WHERE d.crawler_id = t.crawler_id), 0))::bigint AS micros
          FROM terms t WHERE t.period_end AND t.minimum_fee_micros > 0
    )
    SELECT d.crawler_id, d.kind, d.rule, d.unit_price_micros, d.quantity, d.detail, NULL::uuid, NULL::text
      FROM discount d
    UNION ALL
    SELECT f.crawler_id, 'fee', '', f.micros, 1, f.detail, NULL, NULL FROM fee f
    UNION ALL
    SELECT s.crawler_id, 'minimum', '', s.micros, 1, 'of ' || micros_text(s.minimum_fee_micros), NULL, NULL
      FROM short s WHERE s.micros > 0
    UNION ALL
    SELECT a.crawler_id, a.kind, '', a.amount_micros, CASE a.kind WHEN 'reissue' THEN 1 ELSE -1 END,
           a.adjustment_id::text, a.adjustment_id, a.corrects
      FROM billing_adjustments(of_site, of_date) a
$$;
COMMENT ON FUNCTION billing_lines IS 'The lines that a day has beside its crawls.';

CREATE FUNCTION billing_credits(of_site bigint, of_date date)
    RETURNS TABLE (crawler_id bigint, corrects text, subtotal_micros bigint, net_micros bigint,
                   left_minor bigint)
    LANGUAGE sql STABLE AS $$
    SELECT o.crawler_id, o.number, o.taken, o.taken_net - o.taken_net % o.minor, o.left_micros / o.minor
      FROM (SELECT i.crawler_id, i.number, w.taken, b.minor, r.left_micros,
                   least(CASE WHEN NOT billing_reversed(of_site, i.number, of_date) THEN w.taken END,
                         r.left_micros) AS taken_net
              FROM billing_day(of_site, of_date) b
              CROSS JOIN (SELECT l.corrects, -sum(l.amount_micros)::bigint AS taken FROM crawler_day_line l
                           WHERE l.site_id = of_site AND l.local_date = of_date AND l.corrects IS NOT NULL
                             AND l.kind <> 'reissue'
                           GROUP BY l.corrects) AS w
              JOIN invoice i ON i.site_id = of_site AND i.number = w.corrects
              CROSS JOIN LATERAL (SELECT i.net_micros - coalesce(sum(n.net_micros), 0)::bigint AS left_micros
                  FROM invoice n WHERE n.site_id = of_site AND n.corrects = i.number
                   AND n.local_date < of_date) AS r) AS o
$$;
COMMENT ON FUNCTION billing_credits IS 'The credit notes of a day, from its lines: to which invoice, what is
taken back, and how much of it in whole minor units; the rest is carried. The last one of an invoice takes all
that is left of it. left_minor: what was left of the
invoice''s net amount before.';

CREATE FUNCTION billing_undelivered(of_site bigint, of_date date)
    RETURNS TABLE (payment_id uuid, crawler_id bigint, amount_micros bigint)
    LANGUAGE sql STABLE AS $$
    WITH lost AS (
        SELECT c.payment_id, c.crawler_id, c.amount_micros, coalesce(u.final_micros, 0) AS final_micros
          FROM billing_day(of_site, of_date) b
          JOIN undelivered u ON u.site_id = of_site AND u.payment_id >= b.first_id AND u.payment_id < b.end_id
          JOIN billable c ON c.payment_id = u.payment_id AND c.site_id = of_site
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
          JOIN billable c ON c.site_id = of_site AND c.payment_id >= b.first_id AND c.payment_id < b.end_id
           AND c.amount_micros > 0
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

CREATE FUNCTION billing_reissues(of_site bigint, of_date date)
    RETURNS TABLE (crawler_id bigint, replaces text, taken_micros bigint, net_micros bigint)
    LANGUAGE sql STABLE AS $$
    SELECT r.crawler_id, r.number, r.taken_micros, r.due_micros - r.due_micros % r.minor
      FROM (SELECT i.crawler_id, i.number, b.minor, t.taken_micros,
                   i.net_micros - n.noted_micros - t.with_void_micros AS due_micros
              FROM billing_day(of_site, of_date) b
              JOIN crawler_day_line l ON l.site_id = of_site AND l.local_date = of_date AND l.kind = 'reissue'
              JOIN invoice i ON i.site_id = of_site AND i.number = l.corrects
              JOIN crawler_day_line v ON v.site_id = of_site AND v.corrects = i.number AND v.kind = 'void'
             CROSS JOIN LATERAL (
                  SELECT coalesce(-sum(w.amount_micros), 0)::bigint AS taken_micros,
                         coalesce(-sum(w.amount_micros) FILTER (WHERE w.local_date = v.local_date), 0)::bigint
                             AS with_void_micros
                    FROM crawler_day_line w WHERE w.site_id = of_site AND w.corrects = i.number
                     AND w.kind NOT IN ('void', 'reissue')) AS t
             CROSS JOIN LATERAL (
                  SELECT coalesce(sum(c.net_micros), 0)::bigint AS noted_micros
                    FROM invoice c WHERE c.site_id = of_site AND c.corrects = i.number
                     AND c.local_date < v.local_date) AS n) AS r
$$;
COMMENT ON FUNCTION billing_reissues IS 'The invoices that a day makes in place of void ones, from its lines:
over what the void left to credit, less what was taken back with it. taken_micros: what was taken back by
credit notes, and is left out. What went on other invoices stays there.';

CREATE FUNCTION billing_chain(of_site bigint, of_date date)
    RETURNS TABLE (crawler_id bigint, agreement_id bigint, period_end boolean, crawls_before bigint,
                   micros_before bigint, entries bigint, sum_micros bigint, terms_micros bigint,
                   adjusted_micros bigint, carried_in_micros bigint, invoiced_micros bigint,
                   credited_micros bigint, carried_out_micros bigint, reissued_micros bigint)
    LANGUAGE sql STABLE AS $$
    WITH other AS (
        SELECT l.crawler_id,
               coalesce(sum(l.amount_micros) FILTER (WHERE l.adjustment_id IS NULL), 0)::bigint
                   AS terms_micros,
               coalesce(sum(l.amount_micros) FILTER (WHERE l.adjustment_id IS NOT NULL), 0)::bigint
                   AS adjusted_micros
          FROM crawler_day_line l
         WHERE l.site_id = of_site AND l.local_date = of_date AND l.kind <> 'crawls' GROUP BY l.crawler_id
    ), credit AS (
        SELECT c.crawler_id, sum(c.net_micros)::bigint AS credited_micros
          FROM billing_credits(of_site, of_date) c GROUP BY c.crawler_id
    ), again AS (
        SELECT r.crawler_id, sum(r.net_micros)::bigint AS reissued_micros
          FROM billing_reissues(of_site, of_date) r GROUP BY r.crawler_id
    ), due AS (
        SELECT t.*, b.minor, coalesce(o.terms_micros, 0) AS terms_micros,
               coalesce(o.adjusted_micros, 0) AS adjusted_micros,
               coalesce(c.credited_micros, 0) AS credited_micros,
               coalesce(r.reissued_micros, 0) AS reissued_micros,
               t.carried_in_micros + t.sum_micros + coalesce(o.terms_micros, 0)
                   + coalesce(o.adjusted_micros, 0) + coalesce(c.credited_micros, 0)
                   - coalesce(r.reissued_micros, 0) AS due_micros,
               CASE WHEN f.hold THEN 9223372036854775807
                    ELSE greatest(coalesce(a.minimum_invoice_micros, f.minimum_invoice_micros, 0), b.minor)
                    END AS least_micros
          FROM billing_day(of_site, of_date) b CROSS JOIN billing_terms(of_site, of_date) t
          LEFT JOIN agreement a USING (agreement_id)
          LEFT JOIN billing_defaults(of_site, of_date) f ON t.agreement_id IS NULL
          LEFT JOIN other o ON o.crawler_id = t.crawler_id
          LEFT JOIN credit c ON c.crawler_id = t.crawler_id
          LEFT JOIN again r ON r.crawler_id = t.crawler_id
    ), rounded AS (
        SELECT d.*, CASE WHEN d.period_end AND d.due_micros >= d.least_micros
                          AND billing_unbilled(of_site, d.crawler_id, of_date)
                         THEN d.due_micros - d.due_micros % d.minor ELSE 0 END AS invoiced_micros
          FROM due d
    )
    SELECT r.crawler_id, r.agreement_id, r.period_end, r.crawls_before, r.micros_before, r.entries,
           r.sum_micros, r.terms_micros, r.adjusted_micros, r.carried_in_micros, r.invoiced_micros,
           r.credited_micros, r.due_micros - r.invoiced_micros, r.reissued_micros
      FROM rounded r
$$;
COMMENT ON FUNCTION billing_chain IS 'The rows of crawler_day that follow from the day''s lines. What is due
is rounded down to the minor unit, once, here; the rest is carried, and all of it when the period has not
ended, less is due than the minimum invoice or a minor unit, or no line to bill it by.';
