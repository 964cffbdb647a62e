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
    PERFORM seal_wait(parts);
    -- What was not delivered is taken back by the close: from here on it is known what that is.
    LOCK TABLE undelivered IN SHARE ROW EXCLUSIVE MODE;
    -- The parent alone, as every batch of deliveries names it: those under way come to their end.
    LOCK TABLE ONLY delivery IN SHARE ROW EXCLUSIVE MODE;
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
