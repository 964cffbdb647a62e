-- A ledger that was used with a moved clock says so for ever.
-- Gates since 46 go on.

CREATE TABLE sandbox (
    single boolean PRIMARY KEY CHECK (single),
    offset_seconds bigint NOT NULL CHECK (offset_seconds <> 0),
    marked_at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor <> '')
);
COMMENT ON TABLE sandbox IS 'One row: the ledger is for trying things out, with --clock-offset, and nothing on
its invoices is owed.';
COMMENT ON COLUMN sandbox.offset_seconds IS 'How far the first such clock was ahead of the true one.';
COMMENT ON COLUMN sandbox.marked_at IS 'By the true clock.';
SELECT make_append_only('sandbox');

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
REVOKE ALL ON FUNCTION mark_sandbox FROM PUBLIC;

DO $$
DECLARE
    gate text := current_setting('crawltab.gate_role');
    night text := current_setting('crawltab.operator_role');
BEGIN
    EXECUTE format('GRANT SELECT ON sandbox TO %I, %I', gate, night);
    EXECUTE format('GRANT EXECUTE ON FUNCTION mark_sandbox TO %I, %I', gate, night);
END
$$;
