-- Spreads the entries over the servers of a Citus cluster, by lane: `crawltab migrate --citus`, as the owner,
-- in one transaction. What is there is compared with what was there before.
DO $$
DECLARE
    was record;
    is_now record;
    servers bigint;
    part regclass;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') THEN
        RAISE EXCEPTION 'database "%" has no extension citus', current_database()
            USING HINT = 'As a superuser, on each server: CREATE EXTENSION citus.';
    END IF;
    SELECT count(*) INTO servers FROM citus_get_active_worker_nodes();
    IF servers = 0 THEN
        RAISE EXCEPTION 'the cluster of database "%" has no workers', current_database()
            USING HINT = 'As a superuser: SELECT citus_add_node(''host'', 5432).';
    END IF;
    -- For the partitions of days to come: its triggers refuse, and neither read nor write anything elsewhere,
    -- which is what Citus warns of.
    EXECUTE format('ALTER DATABASE %I SET citus.enable_unsafe_triggers = on', current_database());
    PERFORM set_config('citus.enable_unsafe_triggers', 'on', true);
    PERFORM set_config('client_min_messages', 'error', true); -- it tells of each table
    LOCK TABLE public.charge IN ACCESS EXCLUSIVE MODE;
    SELECT * INTO was FROM public.charge_digest('public.charge');
    PERFORM create_distributed_table('public.charge', 'lane',
                                     shard_count => greatest(16, 4 * servers)::integer);
    -- Their rows have left; what stays behind on this server nobody would see, nor guard.
    PERFORM set_config('citus.enable_ddl_propagation', 'off', true);
    FOR part IN SELECT 'public.charge'::regclass UNION ALL
                SELECT inhrelid FROM pg_inherits WHERE inhparent = 'public.charge'::regclass LOOP
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER append_only', part);
    END LOOP;
    PERFORM truncate_local_data_after_distributing_table('public.charge');
    FOR part IN SELECT 'public.charge'::regclass UNION ALL
                SELECT inhrelid FROM pg_inherits WHERE inhparent = 'public.charge'::regclass LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only', part);
    END LOOP;
    PERFORM set_config('citus.enable_ddl_propagation', 'on', true);
    SELECT * INTO is_now FROM public.charge_digest('public.charge');
    IF was IS DISTINCT FROM is_now THEN
        RAISE EXCEPTION 'the entries are not what they were: % for % and then % for %', was.entries,
            was.sum_micros, is_now.entries, is_now.sum_micros USING ERRCODE = 'data_exception';
    END IF;
    -- What statements compute of entries where they are.
    PERFORM create_distributed_function(p.oid::regprocedure)
       FROM pg_proc p
      WHERE p.pronamespace = 'public'::regnamespace
        AND p.proname IN ('instant', 'instant_ms', 'instant_text', 'micros_text', 'quarter_ms',
                          'quarter_start', 'uuid_floor', 'uuid_instant', 'uuid_quarter');
END
$$;
