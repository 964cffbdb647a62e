-- What a site bills without an agreement: in the ledger, since invoices follow from it.

CREATE TABLE site_terms (
    site_id bigint NOT NULL REFERENCES site,
    version integer NOT NULL CHECK (version > 0),
    valid_from timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor <> ''),
    hold boolean NOT NULL,
    cadence text NOT NULL CHECK (cadence IN ('daily', 'weekly', 'monthly')),
    minimum_invoice_micros bigint NOT NULL CHECK (minimum_invoice_micros >= 0),
    due_days integer NOT NULL CHECK (due_days BETWEEN 0 AND 366),
    tax_treatment text NOT NULL CHECK (tax_treatment IN ('none', 'standard', 'zero', 'exempt')),
    tax_rate_ppm integer NOT NULL CHECK (tax_rate_ppm BETWEEN 0 AND 1000000),
    PRIMARY KEY (site_id, version),
    CHECK (tax_treatment = 'standard' OR tax_rate_ppm = 0)
);
COMMENT ON TABLE site_terms IS 'The terms of crawlers without an agreement, as the configuration says them.
The night records a new version when they have changed; it counts from the oldest day that is open then, so
that what was closed stays as it was billed.';
COMMENT ON COLUMN site_terms.hold IS 'Nothing is invoiced without an agreement: it is carried until there is
one.';
SELECT make_append_only('site_terms');

CREATE OR REPLACE FUNCTION billing_defaults(of_site bigint, of_date date)
    RETURNS TABLE (version integer, hold boolean, cadence text, minimum_invoice_micros bigint,
                   due_days integer, tax_treatment text, tax_rate_ppm integer)
    LANGUAGE sql STABLE AS $$
    SELECT t.version, t.hold, t.cadence, t.minimum_invoice_micros, t.due_days, t.tax_treatment, t.tax_rate_ppm
      FROM day d JOIN site_terms t USING (site_id)
     WHERE d.site_id = of_site AND d.local_date = of_date AND t.valid_from < d.ends_at
     ORDER BY t.version DESC LIMIT 1
$$;
COMMENT ON FUNCTION billing_defaults IS 'What a site bills without an agreement, in force just before a day''s
end. No row: daily, without tax, due in 30 days.';

CREATE OR REPLACE FUNCTION billing_defaults_text(of_site bigint, of_date date) RETURNS text
    LANGUAGE sql STABLE AS $$
    SELECT 'No agreement: the site''s price list, invoices ' || coalesce(f.cadence, 'daily')
        || CASE WHEN f.minimum_invoice_micros > 0
                THEN '; less than ' || micros_text(f.minimum_invoice_micros) || ' is carried forward'
                ELSE '' END
        || '; due in ' || coalesce(f.due_days, 30) || ' days.'
      FROM (SELECT) AS one LEFT JOIN billing_defaults(of_site, of_date) f ON true
$$;
COMMENT ON FUNCTION billing_defaults_text IS 'What billing_defaults says, as invoices print it.';

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
          LEFT JOIN billing_defaults(of_site, of_date) f ON a.agreement_id IS NULL
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

DO $$
DECLARE
    gate text := current_setting('crawltab.gate_role');
    night text := current_setting('crawltab.operator_role');
BEGIN
    EXECUTE format('GRANT SELECT ON site_terms TO %I, %I', gate, night);
    EXECUTE format('GRANT INSERT ON site_terms TO %I', night);
END
$$;
