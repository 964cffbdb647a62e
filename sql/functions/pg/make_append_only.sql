CREATE OR REPLACE FUNCTION make_append_only(target regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %s'
                   ' FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change()', target);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only', target);
END
$$;
COMMENT ON FUNCTION make_append_only IS 'ENABLE ALWAYS: also for sessions with session_replication_role =
replica. Partitions need their own trigger, since a statement that names a partition does not fire its
parent''s.';
