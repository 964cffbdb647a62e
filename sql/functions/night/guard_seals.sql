CREATE OR REPLACE FUNCTION guard_seals(target regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- One at a time: who adds a partition does not miss a seal that is just being made. Writers do not wait,
    -- and a vacuum or an archive at work on a partition is not waited for.
    LOCK TABLE ONLY charge IN SHARE UPDATE EXCLUSIVE MODE;
    EXECUTE format('CREATE OR REPLACE TRIGGER sealed AFTER INSERT ON %s FOR EACH ROW'
                   ' WHEN (NEW.payment_id < %L::uuid) EXECUTE FUNCTION public.refuse_sealed()', target,
                   coalesce((SELECT end_id FROM day_seal ORDER BY end_id DESC LIMIT 1),
                            '00000000-0000-0000-0000-000000000000'));
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER sealed', target);
END
$$;
COMMENT ON FUNCTION guard_seals IS 'For each partition of charge, when it is added and when a seal reaches
into it: its trigger asks for the seals of an entry''s site if the entry is below the newest seal of all. Also
for replicas'' sessions. Fires for a statement that names the partition, and for one that names the parent.';
