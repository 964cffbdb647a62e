CREATE OR REPLACE FUNCTION day_partition_make(parent text, of_date date) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    name text := public.day_partition(parent, of_date);
BEGIN
    IF to_regclass('public.' || name) IS NULL THEN
        EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING ALL)', name, parent);
        PERFORM public.make_append_only(format('public.%I', name)::regclass);
        EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                       parent, name, public.uuid_floor(of_date::timestamp AT TIME ZONE 'UTC'),
                       public.uuid_floor((of_date + 1)::timestamp AT TIME ZONE 'UTC'));
    END IF;
END
$$;
COMMENT ON FUNCTION day_partition_make IS 'Makes the partition of a UTC day of one of day_tables, if it is not
there.';
