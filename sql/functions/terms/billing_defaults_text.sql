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
