-- A fully reversed invoice closes; fees may be due by the day; and an invoice to the wrong party is made
-- again, over the same crawls, to the right one.

ALTER TABLE agreement ADD COLUMN fee_proration text NOT NULL DEFAULT 'none'
    CHECK (fee_proration IN ('none', 'daily'));
COMMENT ON COLUMN agreement.fee_proration IS 'none: the whole fee of the terms in force at a period''s end.
daily: its share for each day that ends with it in force and not suspended.';

ALTER TABLE adjustment
    DROP CONSTRAINT adjustment_kind_check,
    ADD CONSTRAINT adjustment_kind_check CHECK (kind IN ('reversal', 'refund', 'credit', 'void', 'reissue')),
    DROP CONSTRAINT adjustment_check,
    ADD CONSTRAINT adjustment_check CHECK (num_nonnulls(payment_id, number) = 1
                                           AND (kind IN ('void', 'reissue')) = (number IS NOT NULL));
COMMENT ON COLUMN adjustment.kind IS 'reversal: the charge, or what is left of it, was wrong. refund: money
is paid back. credit: goodwill. void: of a whole invoice, nothing of which was paid. reissue: bills again
what a void takes back, to the buyer of the agreement in force at the end of its day.';

ALTER TABLE crawler_day
    ADD COLUMN reissued_micros bigint NOT NULL DEFAULT 0 CHECK (reissued_micros >= 0),
    DROP CONSTRAINT crawler_day_adjusted_micros_check,
    DROP CONSTRAINT entries_are_invoiced_or_carried,
    ADD CONSTRAINT entries_are_invoiced_or_carried
        CHECK (carried_in_micros + sum_micros + terms_micros + adjusted_micros
               = invoiced_micros + reissued_micros - credited_micros + carried_out_micros);
COMMENT ON COLUMN crawler_day.reissued_micros IS 'Net amounts of the invoices that were made in place of
others.';

ALTER TABLE crawler_day_line
    DROP CONSTRAINT crawler_day_line_kind_check,
    ADD CONSTRAINT crawler_day_line_kind_check CHECK (kind IN ('crawls', 'included', 'subscription', 'tier',
        'fee', 'minimum', 'reversal', 'refund', 'credit', 'void', 'reissue')),
    DROP CONSTRAINT crawler_day_line_quantity_check,
    ADD CONSTRAINT crawler_day_line_quantity_check
        CHECK (CASE WHEN kind IN ('crawls', 'fee', 'minimum', 'reissue') THEN quantity > 0
                    ELSE quantity < 0 END),
    DROP CONSTRAINT crawler_day_line_check1,
    ADD CONSTRAINT crawler_day_line_check1
        CHECK ((kind IN ('reversal', 'refund', 'credit', 'void', 'reissue')) = (adjustment_id IS NOT NULL));
COMMENT ON COLUMN crawler_day_line.corrects IS 'The invoice that the line corrects on a credit note, or that
a reissue bills anew. NULL: it goes on the next invoice.';

ALTER TABLE invoice_event
    DROP CONSTRAINT invoice_event_event_check,
    ADD CONSTRAINT invoice_event_event_check
        CHECK (event IN ('issued', 'sent', 'paid', 'part-paid', 'overdue', 'void', 'returned',
                         'credit-applied', 'reissued'));
CREATE INDEX crawler_day_line_corrects ON crawler_day_line (site_id, corrects) WHERE corrects IS NOT NULL;

ALTER TABLE invoice
    ADD COLUMN replaces text,
    ADD COLUMN crawls_date date,
    ADD FOREIGN KEY (site_id, replaces) REFERENCES invoice,
    ADD CONSTRAINT invoice_replaces_check CHECK ((replaces IS NULL) = (crawls_date IS NULL)
                                                 AND (replaces IS NULL OR kind = 'invoice')),
    DROP CONSTRAINT invoice_of_a_day,
    ADD CONSTRAINT invoice_of_a_day UNIQUE NULLS NOT DISTINCT (site_id, local_date, crawler_id, corrects,
                                                               replaces);
COMMENT ON COLUMN invoice.replaces IS 'The void invoice whose crawls this one bills to another party.';
COMMENT ON COLUMN invoice.crawls_date IS 'With replaces: the date of the first invoice over the same
crawls.';
CREATE INDEX invoice_replaces ON invoice (site_id, replaces) WHERE replaces IS NOT NULL;

DROP FUNCTION billing_chain;

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
invoiced yet, go on the next invoice. A reissue bills again what a void takes back, on an invoice of its
own.';

CREATE OR REPLACE FUNCTION billing_credits(of_site bigint, of_date date)
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

CREATE OR REPLACE FUNCTION billing_fees(of_site bigint, of_crawler bigint, of_agreement bigint,
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

CREATE OR REPLACE FUNCTION billing_reissues(of_site bigint, of_date date)
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

CREATE OR REPLACE FUNCTION billing_unbilled(of_site bigint, of_crawler bigint, of_date date) RETURNS boolean
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
               greatest(coalesce(a.minimum_invoice_micros, 0), b.minor) AS least_micros,
               CASE coalesce(a.cadence, 'daily')
                   WHEN 'weekly' THEN date_trunc('week', b.next_date) <> date_trunc('week', of_date)
                   WHEN 'monthly' THEN date_trunc('month', b.next_date) <> date_trunc('month', of_date)
                   ELSE true END AS period_end,
               before.carried_out_micros AS carried_micros, NOT before.period_end AS in_period,
               before.period_crawls_before + before.entries AS crawls,
               before.period_micros_before + before.sum_micros + before.terms_micros AS micros
          FROM billing_day(of_site, of_date) b CROSS JOIN crawler c
          LEFT JOIN crawler_day today ON today.site_id = of_site AND today.local_date = of_date
           AND today.crawler_id = c.crawler_id
          LEFT JOIN LATERAL (SELECT v.agreement_id FROM agreement v
                 WHERE v.site_id = of_site AND v.crawler_id = c.crawler_id AND v.valid_from < b.ends_at
                 ORDER BY v.version DESC LIMIT 1) AS force ON true
          LEFT JOIN agreement a ON a.agreement_id = CASE WHEN today.crawler_id IS NULL
                                                         THEN force.agreement_id ELSE today.agreement_id END
          LEFT JOIN LATERAL (SELECT t.* FROM crawler_day t
                 WHERE t.site_id = of_site AND t.crawler_id = c.crawler_id AND t.close_number < b.close_number
                 ORDER BY t.close_number DESC LIMIT 1) AS before ON true
    )
    SELECT k.crawler_id, k.agreement_id, k.period_end, coalesce(k.carried_micros, 0),
           CASE WHEN k.in_period THEN k.crawls ELSE 0 END, CASE WHEN k.in_period THEN k.micros ELSE 0 END,
           coalesce(crawled.entries, 0), coalesce(crawled.sum_micros, 0)
      FROM known k LEFT JOIN crawled USING (crawler_id) LEFT JOIN adjusted USING (crawler_id)
     WHERE crawled.crawler_id IS NOT NULL OR adjusted.crawler_id IS NOT NULL
        OR k.period_end AND (k.fees OR k.in_period OR k.carried_micros >= k.least_micros
                             AND billing_unbilled(of_site, k.crawler_id, of_date))
$$;
COMMENT ON FUNCTION billing_terms IS 'The crawlers that a day concerns: with crawls, with adjustments, or
with a period that ends with the day and has a fee, days before, or enough carried for an invoice.';

CREATE OR REPLACE FUNCTION billing_lines(of_site bigint, of_date date)
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

CREATE OR REPLACE FUNCTION billing_chain(of_site bigint, of_date date)
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
               greatest(coalesce(a.minimum_invoice_micros, 0), b.minor) AS least_micros
          FROM billing_day(of_site, of_date) b CROSS JOIN billing_terms(of_site, of_date) t
          LEFT JOIN agreement a USING (agreement_id)
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

CREATE OR REPLACE FUNCTION agreement_text(of_agreement bigint) RETURNS text
    LANGUAGE sql STABLE AS $$
    SELECT coalesce((
        SELECT 'Agreement version ' || a.version || ', in force from ' || left(instant_text(a.valid_from), 10)
            || ': invoices ' || a.cadence
            || CASE WHEN a.fee_micros > 0 THEN '; fee ' || micros_text(a.fee_micros) || ' a period, '
                        || CASE a.fee_proration WHEN 'none' THEN 'whole also for a part of it'
                           ELSE 'by the days on which it is in force and not suspended' END
                    ELSE '' END
            || CASE WHEN a.subscription THEN '; crawls are covered by the subscription' ELSE '' END
            || CASE WHEN a.included_crawls > 0
                    THEN '; the first ' || a.included_crawls || ' crawls of a period are included' ELSE '' END
            || coalesce((SELECT string_agg('; from crawl ' || r.from_crawl || ' on '
                                    || rate_text(r.discount_ppm) || ' off', '' ORDER BY r.from_crawl)
                           FROM agreement_tier r WHERE r.agreement_id = a.agreement_id), '')
            || CASE WHEN a.minimum_fee_micros > 0
                    THEN '; at least ' || micros_text(a.minimum_fee_micros) || ' a period' ELSE '' END
            || CASE WHEN a.minimum_invoice_micros > 0
                    THEN '; less than ' || micros_text(a.minimum_invoice_micros) || ' is carried forward'
                    ELSE '' END
            || '; due in ' || a.due_days || ' days.'
          FROM agreement a WHERE a.agreement_id = of_agreement),
        'No agreement: the site''s price list, invoices daily; due in 30 days.')
$$;
COMMENT ON FUNCTION agreement_text IS 'The terms in a sentence or two, as invoices print them. NULL: those
of a crawler without an agreement.';
