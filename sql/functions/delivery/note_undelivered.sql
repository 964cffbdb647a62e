CREATE OR REPLACE FUNCTION note_undelivered(of_payment uuid, answer_status integer, sent bigint,
                                 length bigint, told_by text, by_writer uuid, batch bigint,
                                 final bigint DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    paid charge;
BEGIN
    SELECT * INTO paid FROM charge_of(of_payment);
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
