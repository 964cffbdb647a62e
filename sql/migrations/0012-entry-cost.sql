-- What one entry costs: the guard of sealed days no longer collects every statement's rows to look at them,
-- and spending has one index instead of two.

-- Seals -------------------------------------------------------------------------------------------------

-- What is written now is an hour younger than the newest seal of any site. So each partition's trigger knows
-- that seal, as a constant of its condition, and nothing runs for entries that are above it.

DO $$
DECLARE
    target regclass;
BEGIN
    FOR target IN SELECT tgrelid FROM pg_trigger WHERE tgfoid = 'refuse_sealed'::regproc LOOP
        EXECUTE format('DROP TRIGGER sealed ON %s', target);
    END LOOP;
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
            USING ERRCODE = 'check_violation', HINT = 'Corrections are adjustments of a later day.';
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION guard_seals(target regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- One at a time: who adds a partition does not miss a seal that is just being made. Writers do not wait,
    -- and a vacuum or an archive at work on a partition is not waited for.
    LOCK TABLE ONLY charge IN SHARE UPDATE EXCLUSIVE MODE;
    EXECUTE format('CREATE OR REPLACE TRIGGER sealed AFTER INSERT ON %s FOR EACH ROW'
                   ' WHEN (NEW.payment_id < %L::uuid) EXECUTE FUNCTION public.refuse_sealed()', target,
                   coalesce((SELECT end_id FROM day_seal ORDER BY end_id DESC LIMIT 1),
                            '00000000-0000-0000-0000-000000000000'));
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER sealed', target);
END
$$;
COMMENT ON FUNCTION guard_seals IS 'For each partition of charge, when it is added and when a seal reaches
into it: its trigger asks for the seals of an entry''s site if the entry is below the newest seal of all. Also
for replicas'' sessions. Fires for a statement that names the partition, and for one that names the parent.';

CREATE OR REPLACE FUNCTION seal_day(of_site bigint, of_date date, due_ms bigint) RETURNS void
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
    INSERT INTO day_seal (site_id, local_date, end_id, sealed_at)
    VALUES (of_site, of_date, uuid_floor(sealed.ends_at), instant(due_ms)) ON CONFLICT DO NOTHING;
    FOREACH part IN ARRAY coalesce(parts, '{}') LOOP
        PERFORM guard_seals(part);
    END LOOP;
END
$$;

SELECT guard_seals(inhrelid::regclass) FROM pg_inherits WHERE inhparent = 'charge'::regclass;

-- Spending ----------------------------------------------------------------------------------------------

-- Both what gates ask for and that a batch counts once, by one index.
ALTER TABLE spend
    DROP CONSTRAINT spend_pkey,
    ADD PRIMARY KEY (quarter, writer_id, sequence, site_id, crawler_id);
DROP INDEX spend_news;
