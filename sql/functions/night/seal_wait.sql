CREATE OR REPLACE FUNCTION seal_wait(parts regclass[]) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    part regclass;
BEGIN
    FOREACH part IN ARRAY coalesce(parts, '{}') LOOP
        EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', part);
    END LOOP;
END
$$;
COMMENT ON FUNCTION seal_wait IS 'Waits for the statements that write into partitions of charge, and keeps
others out until the transaction ends.';
