CREATE OR REPLACE FUNCTION archive_restore_begin(of_date date) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    LOCK TABLE public.archive IN SHARE ROW EXCLUSIVE MODE;
    IF NOT EXISTS (SELECT FROM public.archived WHERE utc_date = of_date) THEN
        RAISE EXCEPTION 'the entries of % (UTC) are not archived', of_date
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'crawltab archive list tells what is.';
    END IF;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.charge INCLUDING ALL)',
                   public.charge_partition(of_date));
    PERFORM public.day_partition_make(parent, of_date)
       FROM unnest(ARRAY['delivery', 'delivery_tile', 'interim_fact', 'interim_tile']) AS parent;
END
$$;
COMMENT ON FUNCTION archive_restore_begin IS 'Makes the table for the entries of an archived day, which is not
part of the ledger yet, and the partitions for what was recorded of their delivery and for the lists of their
interim checkpoints.';
