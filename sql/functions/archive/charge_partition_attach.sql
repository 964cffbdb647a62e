CREATE OR REPLACE FUNCTION charge_partition_attach(of_date date) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    name text := public.charge_partition(of_date);
BEGIN
    PERFORM public.make_append_only(format('public.%I', name)::regclass);
    PERFORM public.guard_seals(format('public.%I', name)::regclass);
    -- ATTACH takes a weaker lock on the parent than PARTITION OF: a running export does not stop the gate.
    EXECUTE format('ALTER TABLE public.charge ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)', name,
                   public.uuid_floor(of_date::timestamp AT TIME ZONE 'UTC'),
                   public.uuid_floor((of_date + 1)::timestamp AT TIME ZONE 'UTC'));
END
$$;
COMMENT ON FUNCTION charge_partition_attach IS 'Makes the table that has this name a partition, with the
triggers that every partition has.';
