-- A batch locks the whole table here and no partition, which its shards have. Who holds this lock knows that
-- nobody is committing: what is still prepared on another server is of a transaction whose end was cut off.
CREATE OR REPLACE FUNCTION seal_wait(parts regclass[]) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    node record;
BEGIN
    LOCK TABLE charge IN SHARE ROW EXCLUSIVE MODE;
    FOR node IN SELECT nodename, success, result FROM run_command_on_workers(
        'SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()'
        ' AND gid LIKE ''citus\_%''')
    LOOP
        IF NOT node.success THEN
            RAISE EXCEPTION 'server "%" of the cluster does not answer', node.nodename
                USING ERRCODE = 'connection_failure', DETAIL = node.result,
                      HINT = 'No day is closed without its entries: start it, and run crawltab nightly.';
        ELSIF node.result <> '0' THEN
            RAISE EXCEPTION '% transactions on server "%" wait for their end', node.result, node.nodename
                USING ERRCODE = 'object_not_in_prerequisite_state',
                      HINT = 'Citus ends them within a minute: run crawltab nightly again.';
        END IF;
    END LOOP;
END
$$;
