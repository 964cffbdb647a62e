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
