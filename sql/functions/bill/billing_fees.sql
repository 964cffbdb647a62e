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
