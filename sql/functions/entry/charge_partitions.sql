CREATE OR REPLACE FUNCTION charge_partitions(first_date date, last_date date) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    made integer := 0;
    at date;
    name text;
BEGIN
    IF last_date - first_date NOT BETWEEN 0 AND 40 THEN
        RAISE EXCEPTION 'charge_partitions: % to % are not 1 to 41 days', first_date, last_date
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- A gate that has fallen must not fill the catalogue. Twenty years back, for ledgers made from old
    -- entries.
    IF first_date < current_date - 7305 OR last_date > current_date + 60 THEN
        RAISE EXCEPTION 'charge_partitions: % to % are too far from today', first_date, last_date
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Is the clock of the gate right?';
    END IF;
    FOR i IN 0 .. last_date - first_date LOOP
        at := first_date + i;
        CONTINUE WHEN NOT EXISTS (SELECT FROM unnest('charge'::text || public.day_tables()) AS parent
                                   WHERE to_regclass('public.' || public.day_partition(parent, at)) IS NULL);
        -- Two gates start together: the second waits here and then finds the tables. Writers do not wait.
        LOCK TABLE public.charge IN SHARE UPDATE EXCLUSIVE MODE;
        -- An empty partition would let the day's payments be made again.
        CONTINUE WHEN EXISTS (SELECT FROM public.archived WHERE utc_date = at);
        PERFORM public.day_partition_make(parent, at) FROM unnest(public.day_tables()) AS parent;
        name := public.charge_partition(at);
        CONTINUE WHEN to_regclass('public.' || name) IS NOT NULL;
        EXECUTE format('CREATE TABLE public.%I (LIKE public.charge INCLUDING ALL)', name);
        PERFORM public.charge_partition_attach(at);
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;
COMMENT ON FUNCTION charge_partitions IS 'Makes the missing partitions for a range of UTC days, both
included, those of day_tables too, and returns how many of charge. With the owner''s rights, so that the gate
needs none to create tables.';
