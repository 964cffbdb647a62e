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
