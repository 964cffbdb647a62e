CREATE OR REPLACE FUNCTION archive_day(of_date date, file_entries bigint, file_sum_micros bigint,
                                       of_file_digest bytea, of_file text, at_ms bigint, by_actor text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
    name text := public.charge_partition(of_date);
    lower timestamptz := of_date::timestamp AT TIME ZONE 'UTC';
    upper timestamptz := (of_date + 1)::timestamp AT TIME ZONE 'UTC';
    found record;
    parent text;
BEGIN
    IF NOT public.charge_partition_attached(of_date) THEN
        RAISE EXCEPTION 'the ledger has no entries of % (UTC) that could be archived', of_date
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'crawltab archive list tells what is away.';
    END IF;
    -- Nobody writes into a day that is closed; this keeps out whoever does not know.
    EXECUTE format('LOCK TABLE public.%I IN SHARE MODE', name);
    EXECUTE format(
        'SELECT count(*) FILTER (WHERE d.closed) AS closed, count(*) FILTER (WHERE NOT d.closed) AS open,'
        '       (SELECT count(*) FROM (SELECT DISTINCT site_id FROM public.%I) s WHERE NOT EXISTS'
        '           (SELECT FROM public.day d'
        '             WHERE d.site_id = s.site_id AND starts_at < $2 AND ends_at > $1))'
        '           AS without'
        '  FROM (SELECT EXISTS (SELECT FROM public.day_close c WHERE c.site_id = day.site_id'
        '                          AND c.local_date = day.local_date) AS closed'
        '          FROM public.day WHERE starts_at < $2 AND ends_at > $1) AS d', name)
        INTO found USING lower, upper;
    IF found.closed = 0 OR found.open > 0 OR found.without > 0 THEN
        RAISE EXCEPTION 'not every day of every site that % (UTC) is part of is closed', of_date
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Run crawltab nightly first.';
    END IF;
    SELECT * INTO found FROM public.charge_digest(format('public.%I', name)::regclass);
    IF found.entries <> file_entries OR found.sum_micros <> file_sum_micros THEN
        RAISE EXCEPTION 'the file has % entries for % micro-units, the ledger % for %', file_entries,
            file_sum_micros, found.entries, found.sum_micros USING ERRCODE = 'data_exception';
    END IF;
    INSERT INTO public.archive (utc_date, event, entries, sum_micros, rows_digest, file_digest, file,
                                happened_at, actor)
    VALUES (of_date, 'archived', found.entries, found.sum_micros, found.digest, of_file_digest, of_file,
            public.instant(at_ms), by_actor);
    EXECUTE format('ALTER TABLE public.charge DETACH PARTITION public.%I', name);
    EXECUTE format('DROP TABLE public.%I', name);
    FOREACH parent IN ARRAY public.day_tables() LOOP
        EXECUTE format('DROP TABLE IF EXISTS public.%I', public.day_partition(parent, of_date));
    END LOOP;
END
$$;
COMMENT ON FUNCTION archive_day IS 'Lets a day''s entries go, whose file is complete, and what day_tables have
of it. Gates wait for a second at most: if a long reader is in the way, it gives up.';
