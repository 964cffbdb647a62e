-- What gates take for the time, so that no night seals a day that is not over for all of them.

CREATE TABLE gate_clock (
    reported_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    writer_id uuid NOT NULL,
    ahead_ms bigint NOT NULL,
    PRIMARY KEY (reported_at, writer_id)
);
COMMENT ON TABLE gate_clock IS 'How far each connection of a gate is ahead of this server''s clock, written
when it connects and every hour. reported_at is the one time in the ledger that is the server''s own.';
SELECT make_append_only('gate_clock');

DO $$
BEGIN
    EXECUTE format('GRANT INSERT, SELECT ON gate_clock TO %I', current_setting('crawltab.gate_role'));
    EXECUTE format('GRANT SELECT ON gate_clock TO %I', current_setting('crawltab.operator_role'));
END
$$;
