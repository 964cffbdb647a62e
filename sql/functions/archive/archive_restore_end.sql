CREATE OR REPLACE FUNCTION archive_restore_end(of_date date, of_file text, at_ms bigint, by_actor text)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    away public.archived;
    found record;
BEGIN
    SELECT * INTO STRICT away FROM public.archived WHERE utc_date = of_date;
    SELECT * INTO found
      FROM public.charge_digest(format('public.%I', public.charge_partition(of_date))::regclass);
    IF (found.entries, found.sum_micros, found.digest) IS DISTINCT FROM
       (away.entries, away.sum_micros, away.rows_digest) THEN
        RAISE EXCEPTION 'these are not the entries of % (UTC) that were archived', of_date
            USING ERRCODE = 'data_exception';
    END IF;
    INSERT INTO public.archive (utc_date, event, entries, sum_micros, rows_digest, file_digest, file,
                                happened_at, actor)
    VALUES (of_date, 'restored', away.entries, away.sum_micros, away.rows_digest, away.file_digest, of_file,
            public.instant(at_ms), by_actor);
    PERFORM public.charge_partition_attach(of_date);
END
$$;
COMMENT ON FUNCTION archive_restore_end IS 'Attaches what archive_restore_rows has brought, if it is what
left. All three are called in one transaction.';
