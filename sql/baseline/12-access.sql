-- How the publisher's own systems hear of invoices and may ask; and who may do what beside the owner, who
-- owns all of it.

CREATE TABLE outbox (
    message_id text CHECK (message_id ~ '^[A-Za-z0-9_-]{1,64}$') PRIMARY KEY,
    site_id bigint NOT NULL REFERENCES site,
    type text NOT NULL CHECK (type <> ''),
    body text NOT NULL,
    made_at timestamptz NOT NULL
);
COMMENT ON TABLE outbox IS 'Messages to the publisher''s own systems (Standard Webhooks). The id is made from
what the message tells, so that telling it twice makes one message.';

CREATE TABLE outbox_attempt (
    message_id text NOT NULL REFERENCES outbox,
    attempt integer NOT NULL CHECK (attempt > 0),
    happened_at timestamptz NOT NULL,
    status integer NOT NULL CHECK (status BETWEEN 0 AND 999),
    detail text NOT NULL,
    PRIMARY KEY (message_id, attempt)
);
COMMENT ON TABLE outbox_attempt IS 'Every attempt to deliver a message, also those that failed.';
COMMENT ON COLUMN outbox_attempt.status IS 'Of HTTP: 200 to 299 means delivered; 0, that there was none.';

CREATE TABLE token (
    site_id bigint NOT NULL REFERENCES site,
    name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    role text NOT NULL CHECK (role IN ('settle', 'verify')),
    digest bytea NOT NULL CHECK (octet_length(digest) = 32) UNIQUE,
    made_at timestamptz NOT NULL,
    expires_at timestamptz,
    actor text NOT NULL CHECK (actor <> ''),
    PRIMARY KEY (site_id, name),
    CHECK (expires_at > made_at)
);
COMMENT ON TABLE token IS 'Bearer keys with which resource servers use the facilitator.';
COMMENT ON COLUMN token.role IS 'settle: all that the facilitator does. verify: what changes nothing.';
COMMENT ON COLUMN token.digest IS 'SHA-256 of the key: it has 256 bits of chance, so nobody can guess it.';
COMMENT ON COLUMN token.expires_at IS 'From then on it opens nothing. NULL: until it is revoked.';

CREATE TABLE token_revocation (
    site_id bigint NOT NULL,
    name text NOT NULL,
    revoked_at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor <> ''),
    PRIMARY KEY (site_id, name),
    FOREIGN KEY (site_id, name) REFERENCES token
);
COMMENT ON TABLE token_revocation IS 'Keys that open nothing any more, for ever.';

CREATE TABLE console_token (
    name text CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$') PRIMARY KEY,
    role text NOT NULL CHECK (role IN ('owner', 'finance', 'auditor', 'reader')),
    digest bytea NOT NULL CHECK (octet_length(digest) = 32) UNIQUE,
    made_at timestamptz NOT NULL,
    expires_at timestamptz,
    actor text NOT NULL
);
COMMENT ON TABLE console_token IS 'Keys with which people and programs use the operator''s console.';
COMMENT ON COLUMN console_token.role IS 'What it opens; server/console/role.c has the table.';
COMMENT ON COLUMN console_token.digest IS 'SHA-256 of the key, of 256 bits of chance: nobody can guess it.';
COMMENT ON COLUMN console_token.expires_at IS 'From then on it opens nothing. NULL: until it is revoked.';

CREATE TABLE console_token_revocation (
    name text PRIMARY KEY REFERENCES console_token,
    revoked_at timestamptz NOT NULL,
    actor text NOT NULL
);
COMMENT ON TABLE console_token_revocation IS 'Keys of the console that open nothing any more, for ever.';

CREATE TABLE console_token_use (
    name text NOT NULL,
    used_at timestamptz NOT NULL,
    PRIMARY KEY (name, used_at)
);
COMMENT ON TABLE console_token_use IS 'When a key of the console was used: the first time within an hour.';

CREATE TABLE console_write (
    name text NOT NULL,
    key text NOT NULL,
    step integer NOT NULL,
    happened_at timestamptz NOT NULL,
    request bytea NOT NULL,
    status integer NOT NULL,
    answer text NOT NULL,
    PRIMARY KEY (name, key, step)
);
COMMENT ON TABLE console_write IS 'What was asked of the console with an Idempotency-Key, before it was done
(step 1) and with the answer to it (step 2).';
COMMENT ON COLUMN console_write.request IS 'SHA-256 of method, path and body: the same key for another request
is a mistake.';

CREATE FUNCTION count_tokens() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO number_series AS n (site_id, series, last_number)
    SELECT site_id, 'token', count(*) FROM made GROUP BY site_id ORDER BY site_id
    ON CONFLICT (site_id, series) DO UPDATE SET last_number = n.last_number + excluded.last_number;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION count_tokens IS 'Trigger of token and token_revocation: counts what was changed.';

SELECT make_append_only(name::regclass) FROM unnest(ARRAY['outbox', 'outbox_attempt', 'token',
    'token_revocation', 'console_token', 'console_token_revocation', 'console_token_use', 'console_write'])
    AS name;

CREATE TRIGGER counted AFTER INSERT ON token REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE
    FUNCTION count_tokens();
ALTER TABLE token ENABLE ALWAYS TRIGGER counted;
CREATE TRIGGER counted AFTER INSERT ON token_revocation REFERENCING NEW TABLE AS made FOR EACH STATEMENT
    EXECUTE FUNCTION count_tokens();
ALTER TABLE token_revocation ENABLE ALWAYS TRIGGER counted;

REVOKE ALL ON FUNCTION count_tokens FROM PUBLIC;

-- Rights ------------------------------------------------------------------------------------------------

-- Nobody may update or delete, but for number_series.last_number.

DO $$
DECLARE
    gate text := current_setting('crawltab.gate_role');
    night text := current_setting('crawltab.operator_role');
    source text;
BEGIN
    EXECUTE format('GRANT SELECT, INSERT ON site, day, crawler, crawler_key, directory_snapshot,'
                   ' crawler_key_source, charge, spend, gate_clock, offer_terms, handover,'
                   ' payment_identifier, page_copy, delivery, traffic TO %I', gate);
    EXECUTE format('GRANT SELECT ON schema_version, sandbox, site_zone, number_series, conflict,'
                   ' undelivered, delivery_tile, day_delivery, agreement, agreement_price, agreement_tier,'
                   ' site_terms, day_seal, day_close, day_tile, unproven, checkpoint,'
                   ' checkpoint_key_change, day_fact, crawler_day, invoice, adjustment, crawler_day_line,'
                   ' invoice_line, invoice_event, seller_logo, invoice_payment, applied_credit,'
                   ' account_balance, day_accrual, invoice_state, dispute, dispute_subject,'
                   ' dispute_finding, dispute_event, dispute_state, archived, token,'
                   ' token_revocation TO %I', gate);
    EXECUTE format('GRANT EXECUTE ON FUNCTION accrue_days, charge_partitions, keep_traffic, mark_sandbox,'
                   ' note_conflicts, note_undelivered, open_dispute TO %I', gate);

    EXECUTE format('GRANT SELECT, INSERT ON operator_action, site_zone, day, number_series, crawler,'
                   ' delivery_tile, day_delivery, agreement, agreement_price, agreement_tier, site_terms,'
                   ' day_close, day_tile, unproven, checkpoint, checkpoint_key_change, day_fact, interim,'
                   ' interim_tile, interim_fact, crawler_day, invoice, adjustment, crawler_day_line,'
                   ' invoice_line, invoice_event, seller_logo, invoice_payment, applied_credit,'
                   ' settlement_batch, settlement, dispute, dispute_subject, dispute_finding,'
                   ' dispute_event, outbox, outbox_attempt, token, token_revocation, console_token,'
                   ' console_token_revocation, console_token_use, console_write TO %I', night);
    EXECUTE format('GRANT SELECT ON schema_version, sandbox, site, crawler_key, directory_snapshot,'
                   ' crawler_key_source, charge, conflict, conflict_count, spend, gate_clock, offer_terms,'
                   ' handover, payment_identifier, page_copy, undelivered, delivery, day_seal, fact,'
                   ' billable, account_balance, day_accrual, crawler_accrual, invoice_state, dispute_state,'
                   ' traffic, traffic_hour, traffic_day, traffic_total, traffic_month, traffic_counts,'
                   ' archive, archived TO %I', night);
    EXECUTE format('GRANT UPDATE (last_number) ON number_series TO %I', night);
    EXECUTE format('GRANT EXECUTE ON FUNCTION charge_partitions, mark_sandbox, note_undelivered,'
                   ' seal_day TO %I', night);

    -- Each row of what money depends on is noted as it is made.
    FOR source IN SELECT s.source FROM fact_sources() s LOOP
        EXECUTE format('CREATE TRIGGER noted AFTER INSERT ON %I REFERENCING NEW TABLE AS added'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION note_facts()', source);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER noted', source);
    END LOOP;
END
$$;
