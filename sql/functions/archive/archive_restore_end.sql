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
    INSERT INTO public.delivery_tile (site_id, local_date, first_id, deliveries)
    SELECT d.site_id, d.local_date, t.first_id, t.deliveries
      FROM public.day_delivery d CROSS JOIN LATERAL public.billing_day(d.site_id, d.local_date) AS b
     CROSS JOIN LATERAL public.delivery_tiles(
               d.site_id,
               greatest(b.first_id, public.uuid_floor(of_date::timestamp AT TIME ZONE 'UTC')),
               least(b.end_id, public.uuid_floor((of_date + 1)::timestamp AT TIME ZONE 'UTC'))) AS t
     WHERE b.starts_at < (of_date + 1)::timestamp AT TIME ZONE 'UTC'
       AND b.ends_at > of_date::timestamp AT TIME ZONE 'UTC';
    -- Those of an older version may reach into a day that is still away.
    INSERT INTO public.interim_tile (site_id, number, first_id, tile, entries)
    SELECT i.site_id, i.number, i.first_id, t.tile, t.entries
      FROM public.interim i CROSS JOIN LATERAL public.interim_tiles(i.site_id, i.first_id, i.end_id) AS t
     WHERE i.first_id < public.uuid_floor((of_date + 1)::timestamp AT TIME ZONE 'UTC')
       AND i.end_id > public.uuid_floor(of_date::timestamp AT TIME ZONE 'UTC')
       AND NOT EXISTS (SELECT FROM public.interim_tile t WHERE t.site_id = i.site_id
                          AND t.number = i.number AND t.first_id = i.first_id)
       AND NOT EXISTS (SELECT FROM public.archived v
                        WHERE public.uuid_floor((v.utc_date + 1)::timestamp AT TIME ZONE 'UTC') > i.first_id
                          AND public.uuid_floor(v.utc_date::timestamp AT TIME ZONE 'UTC') < i.end_id);
END
$$;
COMMENT ON FUNCTION archive_restore_end IS 'Attaches what archive_restore_rows has brought, if it is what
left, and makes the tiles of its deliveries and of its interim checkpoints again, which must be what was
signed. All three are called in one transaction.';
