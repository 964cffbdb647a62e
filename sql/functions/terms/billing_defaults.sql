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
