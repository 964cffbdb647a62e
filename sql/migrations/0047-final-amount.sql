-- A server that sells by itself may say after its handler what a page costs in the end: less than the entry's
-- amount. It is the same kind of end as nothing having been delivered, and there is one per payment.
-- Gates since 46 go on.

ALTER TABLE undelivered ADD COLUMN final_micros bigint
    CONSTRAINT undelivered_final_micros_check CHECK (final_micros > 0);
COMMENT ON TABLE undelivered IS 'Payments of which something is taken back by the close of their day: all,
where the page was not delivered whole, and their ids open nothing any more; or what is above a final
amount.';
COMMENT ON COLUMN undelivered.final_micros IS 'What is billed of the entry''s amount, always less: the page
was delivered, and its id still opens it. NULL: nothing, as it was not delivered whole.';

ALTER TABLE spend DROP CONSTRAINT spend_check,
    ADD CONSTRAINT spend_check CHECK (entries > 0 AND amount_micros >= 0
                                      OR entries < 0 AND amount_micros <= 0
                                      OR entries = 0 AND amount_micros < 0);
COMMENT ON COLUMN spend.entries IS 'Less than none: of entries whose page was not delivered. None: of entries
that are billed at less than their amount.';

DROP FUNCTION note_undelivered(uuid, integer, bigint, bigint, text, uuid, bigint);
CREATE FUNCTION note_undelivered(of_payment uuid, answer_status integer, sent bigint,
                                 length bigint, told_by text, by_writer uuid, batch bigint,
                                 final bigint DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    paid charge;
BEGIN
    SELECT * INTO paid FROM charge WHERE payment_id = of_payment;
    IF NOT FOUND THEN
        RETURN 'no-charge';
    END IF;
    IF final >= paid.amount_micros THEN
        RETURN 'differs'; -- it takes back, and never adds
    END IF;
    IF NOT EXISTS (SELECT FROM undelivered WHERE payment_id = of_payment) THEN
        IF of_payment < (SELECT end_id FROM day_seal WHERE site_id = paid.site_id
                          ORDER BY end_id DESC LIMIT 1) THEN
            RETURN 'sealed';
        END IF;
        INSERT INTO undelivered (payment_id, site_id, status, sent_bytes, length_bytes, told_by, final_micros)
        VALUES (of_payment, paid.site_id, answer_status, sent, length, told_by, final) ON CONFLICT DO NOTHING;
        IF FOUND THEN
            INSERT INTO spend (writer_id, sequence, site_id, crawler_id, quarter, entries, amount_micros)
            VALUES (by_writer, batch, paid.site_id, paid.crawler_id, uuid_quarter(of_payment),
                    CASE WHEN final IS NULL THEN -1 ELSE 0 END, coalesce(final, 0) - paid.amount_micros);
            RETURN 'recorded';
        END IF;
    END IF;
    -- Seen by this statement, also when it was another one's that it waited for.
    RETURN CASE WHEN EXISTS (SELECT FROM undelivered u WHERE u.payment_id = of_payment
                                AND u.final_micros IS NOT DISTINCT FROM final)
                THEN 'known' ELSE 'differs' END;
END
$$;
COMMENT ON FUNCTION note_undelivered IS 'Records once that a paid page was not delivered whole, or is billed
at a final amount below its entry''s, and gives the crawler that credit back as batch of a writer: recorded,
known (it was before), differs (it has another end, or the entry is of no more), no-charge (there is no such
entry) or sealed (its day is). With the owner''s rights: the gate itself may not write this table.';

REVOKE ALL ON FUNCTION note_undelivered FROM PUBLIC;
DO $$
DECLARE
    gate text := current_setting('crawltab.gate_role');
    night text := current_setting('crawltab.operator_role');
BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION note_undelivered TO %I, %I', gate, night);
END
$$;

CREATE OR REPLACE FUNCTION billing_undelivered(of_site bigint, of_date date)
    RETURNS TABLE (payment_id uuid, crawler_id bigint, amount_micros bigint)
    LANGUAGE sql STABLE AS $$
    WITH lost AS (
        SELECT c.payment_id, c.crawler_id, c.amount_micros, coalesce(u.final_micros, 0) AS final_micros
          FROM billing_day(of_site, of_date) b
          JOIN undelivered u ON u.site_id = of_site AND u.payment_id >= b.first_id AND u.payment_id < b.end_id
          JOIN billable c ON c.payment_id = u.payment_id AND c.site_id = of_site
    ), terms AS (
        SELECT t.crawler_id, t.crawls_before, a.agreement_id, a.subscription, a.included_crawls,
               NOT a.subscription AND (a.included_crawls > 0 OR EXISTS (
                   SELECT FROM agreement_tier r WHERE r.agreement_id = a.agreement_id)) AS counts
          FROM billing_terms(of_site, of_date) t JOIN agreement a USING (agreement_id)
         WHERE t.crawler_id IN (SELECT l.crawler_id FROM lost l)
    ), numbered AS (
        -- As billing_discounts numbers them.
        SELECT c.payment_id, t.crawls_before - t.included_crawls
               + row_number() OVER (PARTITION BY c.crawler_id ORDER BY c.payment_id) AS nth
          FROM billing_day(of_site, of_date) b
          JOIN billable c ON c.site_id = of_site AND c.payment_id >= b.first_id AND c.payment_id < b.end_id
           AND c.amount_micros > 0
          JOIN terms t ON t.crawler_id = c.crawler_id AND t.counts
    ), discounted AS (
        SELECT l.*, CASE WHEN t.subscription OR n.nth <= 0 THEN 1000000 ELSE coalesce((
                       SELECT r.discount_ppm FROM agreement_tier r
                        WHERE r.agreement_id = t.agreement_id AND r.from_crawl <= n.nth
                        ORDER BY r.from_crawl DESC LIMIT 1), 0) END AS ppm
          FROM lost l LEFT JOIN terms t USING (crawler_id) LEFT JOIN numbered n USING (payment_id)
    ), billed AS (
        -- What is left is as if the entry had been of the final amount.
        SELECT d.payment_id, d.crawler_id, d.amount_micros - share_of(d.amount_micros, d.ppm)
               - (d.final_micros - share_of(d.final_micros, d.ppm))
               - coalesce((SELECT sum(a.amount_micros)::bigint FROM adjustment a
                            WHERE a.payment_id = d.payment_id), 0) AS amount_micros
          FROM discounted d
    )
    SELECT b.payment_id, b.crawler_id, b.amount_micros FROM billed b WHERE b.amount_micros > 0
$$;
COMMENT ON FUNCTION billing_undelivered IS 'What a day''s close has to take back: of pages that were paid for
and not delivered whole, or billed at a lower final amount, what the terms have not taken off and nobody has
taken back.';
