CREATE OR REPLACE FUNCTION note_undelivered(of_payment uuid, answer_status integer, sent bigint,
                                 length bigint, told_by text, by_writer uuid, batch bigint) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    paid charge;
BEGIN
    SELECT * INTO paid FROM charge WHERE payment_id = of_payment;
    IF NOT FOUND THEN
        RETURN 'no-charge';
    END IF;
    IF EXISTS (SELECT FROM undelivered WHERE payment_id = of_payment) THEN
        RETURN 'known';
    END IF;
    IF of_payment < (SELECT end_id FROM day_seal WHERE site_id = paid.site_id
                      ORDER BY end_id DESC LIMIT 1) THEN
        RETURN 'sealed';
    END IF;
    INSERT INTO undelivered (payment_id, site_id, status, sent_bytes, length_bytes, told_by)
    VALUES (of_payment, paid.site_id, answer_status, sent, length, told_by) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN 'known';
    END IF;
    INSERT INTO spend (writer_id, sequence, site_id, crawler_id, quarter, entries, amount_micros)
    VALUES (by_writer, batch, paid.site_id, paid.crawler_id, uuid_quarter(of_payment), -1,
            -paid.amount_micros);
    RETURN 'recorded';
END
$$;
COMMENT ON FUNCTION note_undelivered IS 'Records that a paid page was not delivered whole, once, and gives
the crawler its credit back as batch of a writer: recorded, known (it was before), no-charge (there is no such
entry) or sealed (its day is). With the owner''s rights: the gate itself may not write this table.';
