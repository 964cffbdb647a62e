-- Pages that were paid for and not delivered whole, because the site's own server stopped in the middle: the
-- gate records the fact, and the close of the day takes it back before it bills. So the gate's role needs no
-- right to make adjustments.

CREATE TABLE undelivered (
    payment_id uuid PRIMARY KEY,
    site_id bigint NOT NULL REFERENCES site,
    status integer NOT NULL CHECK (status BETWEEN 0 AND 999),
    sent_bytes bigint NOT NULL CHECK (sent_bytes >= 0),
    length_bytes bigint CHECK (length_bytes >= 0),
    told_by text NOT NULL CHECK (told_by IN ('gate', 'front', 'log')),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE undelivered IS 'Payments whose page was not delivered whole. Their ids open nothing any
more, and the close of their day makes a reversal of each.';
COMMENT ON COLUMN undelivered.status IS 'Of the answer of the site''s own server. 0: it gave none.';
COMMENT ON COLUMN undelivered.length_bytes IS 'How much should have been sent. NULL: not known.';
COMMENT ON COLUMN undelivered.told_by IS 'gate: it streamed the page itself. front: POST /undelivered of the
decision listener. log: crawltab undelivered --log.';
CREATE INDEX undelivered_site ON undelivered (site_id, payment_id);
SELECT make_append_only('undelivered');

ALTER TABLE spend DROP CONSTRAINT spend_entries_check, DROP CONSTRAINT spend_amount_micros_check,
    ADD CONSTRAINT spend_check CHECK (entries > 0 AND amount_micros >= 0
                                      OR entries < 0 AND amount_micros <= 0);
COMMENT ON COLUMN spend.entries IS 'Less than none: of entries whose page was not delivered.';

CREATE FUNCTION refuse_sealed_undelivered() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- An older snapshot would not see the newest seal.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'undelivered pages are recorded in transactions that are READ COMMITTED'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    IF NEW.payment_id < (SELECT end_id FROM day_seal WHERE site_id = NEW.site_id
                          ORDER BY end_id DESC LIMIT 1) THEN
        RAISE EXCEPTION 'the day of payment "%" is sealed', NEW.payment_id
            USING ERRCODE = 'check_violation', HINT = 'Take it back with crawltab adjust.';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION refuse_sealed_undelivered IS 'Trigger of undelivered: refuses a payment of a day that its
site has sealed.';

CREATE TRIGGER sealed BEFORE INSERT ON undelivered FOR EACH ROW EXECUTE FUNCTION refuse_sealed_undelivered();
ALTER TABLE undelivered ENABLE ALWAYS TRIGGER sealed;

CREATE FUNCTION note_undelivered(of_payment uuid, answer_status integer, sent bigint,
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

CREATE FUNCTION undelivered_adjustment(of_site bigint, of_payment uuid) RETURNS uuid
    LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, public, pg_temp AS $$
    -- The last millisecond of the payment's day, and bits of its digest in the places where version and
    -- variant leave room.
    SELECT (left(hex, 8) || '-' || substr(hex, 9, 4) || '-7' || substr(digest, 1, 3) || '-8'
            || substr(digest, 4, 3) || '-' || substr(digest, 7, 12))::uuid
      FROM day d
     CROSS JOIN LATERAL (SELECT lpad(to_hex(instant_ms(d.ends_at) - 1), 12, '0') AS hex,
                                encode(sha256(uuid_send(of_payment)), 'hex') AS digest) AS part
     WHERE d.site_id = of_site AND d.starts_at <= uuid_instant(of_payment)
       AND d.ends_at > uuid_instant(of_payment)
$$;
COMMENT ON FUNCTION undelivered_adjustment IS 'The id of the adjustment that takes back what was paid for an
undelivered page: in the payment''s own day, and the same however often the close is begun.';

CREATE FUNCTION billing_undelivered(of_site bigint, of_date date)
    RETURNS TABLE (payment_id uuid, crawler_id bigint, amount_micros bigint)
    LANGUAGE sql STABLE AS $$
    WITH lost AS (
        SELECT c.payment_id, c.crawler_id, c.amount_micros, b.first_id, b.end_id
          FROM billing_day(of_site, of_date) b
          JOIN undelivered u ON u.site_id = of_site AND u.payment_id >= b.first_id AND u.payment_id < b.end_id
          JOIN charge c ON c.payment_id = u.payment_id AND c.site_id = of_site
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
          JOIN charge c ON c.site_id = of_site AND c.payment_id >= b.first_id AND c.payment_id < b.end_id
          JOIN terms t ON t.crawler_id = c.crawler_id AND t.counts
    ), billed AS (
        SELECT l.payment_id, l.crawler_id, l.amount_micros - share_of(l.amount_micros,
                   CASE WHEN t.subscription OR n.nth <= 0 THEN 1000000 ELSE coalesce((
                       SELECT r.discount_ppm FROM agreement_tier r
                        WHERE r.agreement_id = t.agreement_id AND r.from_crawl <= n.nth
                        ORDER BY r.from_crawl DESC LIMIT 1), 0) END)
               - coalesce((SELECT sum(a.amount_micros)::bigint FROM adjustment a
                            WHERE a.payment_id = l.payment_id), 0) AS amount_micros
          FROM lost l LEFT JOIN terms t USING (crawler_id) LEFT JOIN numbered n USING (payment_id)
    )
    SELECT b.payment_id, b.crawler_id, b.amount_micros FROM billed b WHERE b.amount_micros > 0
$$;
COMMENT ON FUNCTION billing_undelivered IS 'What a day''s close has to take back: of pages that were paid for
and not delivered whole, what the terms have not taken off and nobody has taken back.';

CREATE OR REPLACE FUNCTION refuse_sealed_adjustment() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.adjustment_id < (SELECT end_id FROM day_seal WHERE site_id = NEW.site_id
                               ORDER BY end_id DESC LIMIT 1)
       -- A seal also fixes what was not delivered: the close that comes after it takes that back, once.
       AND NOT (NEW.kind = 'reversal'
                AND EXISTS (SELECT FROM undelivered u
                             WHERE u.payment_id = NEW.payment_id AND u.site_id = NEW.site_id
                               AND undelivered_adjustment(u.site_id, u.payment_id) = NEW.adjustment_id)
                AND NOT EXISTS (SELECT FROM day d JOIN day_close c USING (site_id, local_date)
                                 WHERE d.site_id = NEW.site_id AND d.starts_at <= uuid_instant(NEW.payment_id)
                                   AND d.ends_at > uuid_instant(NEW.payment_id))) THEN
        RAISE EXCEPTION 'the day of adjustment "%" is sealed', NEW.adjustment_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION refuse_sealed_adjustment IS 'Trigger of adjustment: refuses one of a day that its site
has sealed, but for those that its close makes of what was not delivered.';

CREATE OR REPLACE FUNCTION seal_day(of_site bigint, of_date date, due_ms bigint, made_ms bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET lock_timeout = '2s' AS $$
DECLARE
    sealed day;
    newest uuid;
    parts regclass[];
    part regclass;
BEGIN
    SELECT * INTO sealed FROM day WHERE site_id = of_site AND local_date = of_date;
    IF NOT FOUND OR instant(due_ms) < sealed.ends_at THEN
        RAISE EXCEPTION 'day % of site number % is not there, or not over', of_date, of_site
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM FROM day d WHERE site_id = of_site AND local_date < of_date
        AND NOT EXISTS (SELECT FROM day_close c
                         WHERE c.site_id = of_site AND c.local_date = d.local_date);
    IF FOUND THEN
        RAISE EXCEPTION 'an earlier day of site number % is open', of_site
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    LOCK TABLE ONLY charge IN SHARE UPDATE EXCLUSIVE MODE; -- as guard_seals does
    SELECT end_id INTO newest FROM day_seal ORDER BY end_id DESC LIMIT 1;
    -- The day's partitions, and those between the newest seal and this one, whose triggers must know it.
    SELECT array_agg(inhrelid::regclass ORDER BY relname) INTO parts
      FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
     WHERE inhparent = 'charge'::regclass
       AND relname <= charge_partition((sealed.ends_at AT TIME ZONE 'UTC' - interval '1 microsecond')::date)
       AND (newest IS NULL OR relname >= charge_partition(
                (least(sealed.starts_at, uuid_instant(newest)) AT TIME ZONE 'UTC')::date));
    -- A statement that checked its entries before this seal was there may not have committed yet. It holds a
    -- lock on the partitions it writes to, so these wait for it; who comes later sees the seal. Longer than
    -- deadlock_timeout, after which a vacuum in the way gives up.
    FOREACH part IN ARRAY coalesce(parts, '{}') LOOP
        EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', part);
    END LOOP;
    -- What was not delivered is taken back by the close: from here on it is known what that is.
    LOCK TABLE undelivered IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO day_seal (site_id, local_date, end_id, due_at, made_at)
    VALUES (of_site, of_date, uuid_floor(sealed.ends_at), instant(due_ms), instant(made_ms))
    ON CONFLICT DO NOTHING;
    FOREACH part IN ARRAY coalesce(parts, '{}') LOOP
        PERFORM guard_seals(part);
    END LOOP;
END
$$;
COMMENT ON FUNCTION seal_day IS 'Seals a day, in order, in a transaction that is committed at once: what it
locks keeps the gates waiting. With the owner''s rights, since the operator''s role may not lock.';

REVOKE ALL ON FUNCTION note_undelivered FROM PUBLIC;
DO $$
DECLARE
    gate text := current_setting('crawltab.gate_role');
    night text := current_setting('crawltab.operator_role');
BEGIN
    EXECUTE format('GRANT SELECT ON undelivered TO %I, %I', gate, night);
    EXECUTE format('GRANT EXECUTE ON FUNCTION note_undelivered TO %I, %I', gate, night);
END
$$;
