CREATE OR REPLACE FUNCTION mark_sandbox(offset_seconds bigint, at timestamptz, actor text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF offset_seconds = 0 OR EXISTS (SELECT FROM day_close) THEN
        RETURN EXISTS (SELECT FROM sandbox);
    END IF;
    INSERT INTO sandbox (single, offset_seconds, marked_at, actor)
    VALUES (true, offset_seconds, at, actor) ON CONFLICT DO NOTHING;
    RETURN true;
END
$$;
COMMENT ON FUNCTION mark_sandbox IS 'Makes the ledger a sandbox for ever, and says whether it is one. Once a
day was closed nothing makes it one: invoices that are owed do not become play.';
