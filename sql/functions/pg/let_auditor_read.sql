CREATE OR REPLACE FUNCTION let_auditor_read(auditor text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    target regclass;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = auditor) THEN
        RETURN;
    END IF;
    -- Partitions are read through their parents, whose rights count.
    FOR target IN SELECT oid FROM pg_class
                   WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
                     AND NOT relispartition AND NOT has_table_privilege(auditor, oid, 'SELECT')
                   ORDER BY relname
    LOOP
        EXECUTE format('GRANT SELECT ON %s TO %I', target, auditor);
    END LOOP;
END
$$;
COMMENT ON FUNCTION let_auditor_read IS 'Gives a role that is there the right to read every table and view,
and no other right. Run with each migration, as the owner, so that tables of later versions are read, too.';
