-- Ids that were handed over lie in partitions of their days, too: an id expires within minutes, so that what
-- it was is of no use any more when its day's entries leave. As with charge, no foreign keys.

ALTER TABLE handover RENAME TO handover_before;
ALTER TABLE handover_before RENAME CONSTRAINT handover_pkey TO handover_before_pkey;

CREATE TABLE handover (
    payment_id uuid PRIMARY KEY,
    site_id bigint NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
) PARTITION BY RANGE (payment_id);
COMMENT ON TABLE handover IS 'Payment ids of requests that change something, each written before the request
is handed to the site''s own server: an id that is here is never handed over again, whatever came of it.';
SELECT make_append_only('handover');

CREATE OR REPLACE FUNCTION day_tables() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY['handover', 'page_copy'];
COMMENT ON FUNCTION day_tables IS 'Tables beside charge that are parted by the UTC days of payment ids, too:
what a day has in them goes when its entries go.';

DO $$
DECLARE
    gate text := current_setting('crawltab.gate_role');
    night text := current_setting('crawltab.operator_role');
BEGIN
    PERFORM day_partition_make('handover', to_date(right(relname, 8), 'YYYYMMDD'))
       FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = 'charge'::regclass;
    -- Those of days that are archived would have gone with them.
    INSERT INTO handover
    SELECT h.* FROM handover_before h
     WHERE charge_partition_attached((uuid_instant(h.payment_id) AT TIME ZONE 'UTC')::date);
    DROP TABLE handover_before;
    EXECUTE format('GRANT SELECT, INSERT ON handover TO %I', gate);
    EXECUTE format('GRANT SELECT ON handover TO %I', night);
END
$$;
