-- Requests that change something (POST and its like) are handed to a site's own server at most once. What was
-- paid is known when the server has answered; whether the request was sent must be known before.

CREATE TABLE handover (
    payment_id uuid PRIMARY KEY,
    site_id bigint NOT NULL REFERENCES site,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE handover IS 'Payment ids of requests that change something, each written before the request
is handed to the site''s own server: an id that is here is never handed over again, whatever came of it.';
SELECT make_append_only('handover');

DO $$
DECLARE
    gate text := current_setting('crawltab.gate_role');
    night text := current_setting('crawltab.operator_role');
BEGIN
    EXECUTE format('GRANT SELECT, INSERT ON handover TO %I', gate);
    EXECUTE format('GRANT SELECT ON handover TO %I', night);
END
$$;
