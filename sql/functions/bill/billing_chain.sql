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
