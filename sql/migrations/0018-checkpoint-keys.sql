-- Who signs a site's log may change, but never silently.

CREATE TABLE checkpoint_key_change (
    site_id bigint NOT NULL REFERENCES site,
    number bigint NOT NULL CHECK (number > 0),
    log_size bigint NOT NULL CHECK (log_size > 0),
    old_key text NOT NULL,
    new_key text NOT NULL CHECK (new_key <> old_key),
    lost boolean NOT NULL,
    changed_at timestamptz NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL CHECK (reason <> ''),
    note text NOT NULL,
    PRIMARY KEY (site_id, number)
);
COMMENT ON TABLE checkpoint_key_change IS 'From log size log_size on a site''s checkpoints are signed by
new_key. The note says so over the log as it was, signed by the new key and, unless that was lost,
by the old one.';
SELECT make_append_only('checkpoint_key_change');

DO $$
BEGIN
    EXECUTE format('GRANT SELECT, INSERT ON checkpoint_key_change TO %I',
                   current_setting('crawltab.operator_role'));
    EXECUTE format('GRANT SELECT ON checkpoint_key_change TO %I', current_setting('crawltab.gate_role'));
END
$$;
