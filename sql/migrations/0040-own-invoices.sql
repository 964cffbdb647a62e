-- What a gate reads to show crawlers their own invoices, and proofs of their own entries.

DO $$
DECLARE
    gate text := current_setting('crawltab.gate_role');
BEGIN
    EXECUTE format('GRANT SELECT ON invoice_line, adjustment, seller_logo, day_fact, crawler_day_line'
                   ' TO %I', gate);
END
$$;
