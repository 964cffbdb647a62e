CREATE OR REPLACE FUNCTION keep_traffic() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET lock_timeout = '2s' AS $$
DECLARE
    this_hour timestamptz := date_trunc('hour', clock_timestamp(), 'UTC');
    at timestamptz;
    part regclass;
    parts regclass[];
BEGIN
    FOR i IN 0 .. 1 LOOP
        at := this_hour + i * interval '1 hour';
        CONTINUE WHEN to_regclass('public.' || traffic_partition(at)) IS NOT NULL;
        -- Several gates: the second waits here and then finds the table. Who writes does not wait.
        LOCK TABLE ONLY public.traffic IN SHARE UPDATE EXCLUSIVE MODE;
        CONTINUE WHEN to_regclass('public.' || traffic_partition(at)) IS NOT NULL;
        PERFORM make_traffic_partition('public.traffic', traffic_partition(at), at, at + interval '1 hour');
    END LOOP;
    PERFORM trim_paths();
    IF NOT EXISTS (SELECT FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
                    WHERE inhparent = 'public.traffic'::regclass AND relname < traffic_partition(this_hour))
    THEN
        RETURN;
    END IF;
    LOCK TABLE ONLY public.traffic IN SHARE UPDATE EXCLUSIVE MODE;
    SELECT array_agg(inhrelid::regclass ORDER BY relname) INTO parts
      FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
     WHERE inhparent = 'public.traffic'::regclass AND relname < traffic_partition(this_hour);
    FOREACH part IN ARRAY coalesce(parts, '{}') LOOP
        PERFORM add_up_traffic(part);
    END LOOP;
END
$$;
COMMENT ON FUNCTION keep_traffic IS 'Makes the partitions of "traffic" for this hour and the next, by the
server''s clock, adds up those of hours that are over, and trims paths (trim_paths). With the owner''s rights,
so that the gate needs none to make and drop tables.';
