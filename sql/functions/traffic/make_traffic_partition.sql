CREATE OR REPLACE FUNCTION make_traffic_partition(parent regclass, name text, lower timestamptz,
                                                  upper timestamptz) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE TABLE public.%I (LIKE %s INCLUDING ALL)', name, parent);
    PERFORM public.make_append_only(format('public.%I', name)::regclass);
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)', parent, name,
                   lower, upper);
END
$$;
COMMENT ON FUNCTION make_traffic_partition IS 'Makes a partition of "traffic" or "traffic_hour".';
