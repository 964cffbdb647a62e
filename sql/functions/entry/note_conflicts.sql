CREATE OR REPLACE FUNCTION note_conflicts(at_ms bigint, payment_ids uuid[], site_ids bigint[],
                               crawler_ids bigint[], amounts bigint[], rules text[], resources text[],
                               thumbprints bytea[], signatures bytea[], signature_bases bytea[],
                               agreement_ids bigint[])
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    attempt record;
    number bigint;
BEGIN
    -- In one order, so that two gates do not wait for each other.
    FOR attempt IN
        SELECT *, sha256(signature || signature_base) AS evidence
          FROM unnest(payment_ids, site_ids, crawler_ids, amounts, rules, resources, thumbprints, signatures,
                      signature_bases, agreement_ids)
               AS a (payment_id, site_id, crawler_id, amount_micros, rule, resource, thumbprint, signature,
                     signature_base, agreement_id)
         ORDER BY payment_id, crawler_id
    LOOP
        -- What is kept is no new attempt when it comes again. (Of what is only counted nobody can tell.)
        CONTINUE WHEN EXISTS (SELECT FROM conflict c
                               WHERE c.payment_id = attempt.payment_id AND c.evidence = attempt.evidence);
        INSERT INTO conflict_count AS c (site_id, payment_id, crawler_id, attempts)
        VALUES (attempt.site_id, attempt.payment_id, attempt.crawler_id, 1)
        ON CONFLICT (payment_id, crawler_id) DO UPDATE SET attempts = c.attempts + 1
        RETURNING attempts INTO number;
        CONTINUE WHEN number > 8;
        INSERT INTO conflict (payment_id, evidence, site_id, crawler_id, amount_micros, rule, resource,
                              recorded_at, thumbprint, signature, signature_base, agreement_id)
        VALUES (attempt.payment_id, attempt.evidence, attempt.site_id, attempt.crawler_id,
                attempt.amount_micros, attempt.rule, attempt.resource, instant(at_ms), attempt.thumbprint,
                attempt.signature, attempt.signature_base, nullif(attempt.agreement_id, 0))
        ON CONFLICT DO NOTHING;
    END LOOP;
END
$$;
COMMENT ON FUNCTION note_conflicts IS 'Keeps the first eight attempts of a crawler with a payment id, and
counts all. With the owner''s rights: the gate itself may not write these tables, nor change a row of any.';
