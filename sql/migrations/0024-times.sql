-- When days were sealed and closed, and invoices made, beside the instants at which they were due: a night
-- may come weeks late, and what it makes must not say that it was there before.

ALTER TABLE day_seal RENAME COLUMN sealed_at TO due_at;
ALTER TABLE day_seal ADD COLUMN made_at timestamptz;
COMMENT ON COLUMN day_seal.due_at IS 'When the day could be sealed, the same however often the night is run.';
COMMENT ON COLUMN day_seal.made_at IS 'When it was. NULL: by a version that did not write it down.';

ALTER TABLE day_close RENAME COLUMN closed_at TO due_at;
ALTER TABLE day_close ADD COLUMN made_at timestamptz;
COMMENT ON COLUMN day_close.due_at IS 'When the day could be closed.';
COMMENT ON COLUMN day_close.made_at IS 'When it was, by the clock of the night that did. NULL: not known.';

ALTER TABLE invoice ADD COLUMN made_at timestamptz, ADD COLUMN issue_date date;
COMMENT ON TABLE invoice IS 'Invoices and credit notes. Parties, zone, terms and texts are copied in: an
invoice reads the same for ever. local_date is the last day of its period. A credit note says in positive
amounts what is taken back from one invoice.';
COMMENT ON COLUMN invoice.made_at IS 'By the clock of the night that made it. NULL: not known.';
COMMENT ON COLUMN invoice.issue_date IS 'The local date of made_at, from which due_date counts. On invoices of
before, which have been handed out so, it is local_date.';

-- The instants of before are not all lost: closing a day has always been told in operator_action. What those
-- invoices say of their date and of when they are due stays, since they have been handed out.
ALTER TABLE day_close DISABLE TRIGGER append_only;
ALTER TABLE invoice DISABLE TRIGGER append_only;
UPDATE day_close c SET made_at = a.happened_at FROM operator_action a
 WHERE a.action = 'nightly'
   AND a.detail = 'closed day ' || c.local_date || ' of site number ' || c.site_id;
UPDATE invoice SET issue_date = local_date;
UPDATE invoice i SET made_at = c.made_at FROM day_close c
 WHERE c.site_id = i.site_id AND c.local_date = i.local_date;
ALTER TABLE day_close ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE invoice ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE invoice ALTER COLUMN issue_date SET NOT NULL;

DROP FUNCTION seal_day(bigint, date, bigint);
CREATE FUNCTION seal_day(of_site bigint, of_date date, due_ms bigint, made_ms bigint) RETURNS void
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

REVOKE ALL ON FUNCTION seal_day FROM PUBLIC;
DO $$
BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION seal_day TO %I', current_setting('crawltab.operator_role'));
END
$$;

CREATE OR REPLACE FUNCTION refuse_sealed() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- An older snapshot would not see the newest seal.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'entries this old are made in transactions that are READ COMMITTED'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    IF NEW.payment_id < (SELECT end_id FROM day_seal WHERE site_id = NEW.site_id
                          ORDER BY end_id DESC LIMIT 1) THEN
        RAISE EXCEPTION 'the day of entry "%" is sealed', NEW.payment_id
            USING ERRCODE = 'check_violation',
                  HINT = 'A crawltab nightly whose clock was ahead has closed the day, or the gate''s clock'
                         ' is behind: set them right. Corrections are adjustments of a later day.';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION refuse_sealed IS 'Trigger of each partition (guard_seals): refuses an entry of a day
that its site has sealed.';
