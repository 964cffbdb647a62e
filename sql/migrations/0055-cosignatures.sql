-- Witnesses (c2sp.org/tlog-witness) cosign what a site's log has become, and their signatures stay.
-- Gates since 46 go on.

CREATE TABLE cosignature (
    site_id bigint NOT NULL,
    log_size bigint NOT NULL,
    witness text NOT NULL,
    line text NOT NULL,
    cosigned_at timestamptz NOT NULL,
    PRIMARY KEY (site_id, log_size, witness),
    FOREIGN KEY (site_id, log_size) REFERENCES checkpoint
);
COMMENT ON TABLE cosignature IS 'That a witness has seen a checkpoint of a site''s log, and that the log had
grown from what that witness saw before.';
COMMENT ON COLUMN cosignature.witness IS 'Its verifier key (c2sp.org/tlog-cosignature).';
COMMENT ON COLUMN cosignature.line IS 'Its signature: a line that stands below the checkpoint''s own.';
COMMENT ON COLUMN cosignature.cosigned_at IS 'When, as the witness says: it is a part of what it has signed.';
SELECT make_append_only('cosignature');

CREATE OR REPLACE FUNCTION fact_sources() RETURNS TABLE (source text, keys text[], of_site boolean)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    VALUES ('adjustment', ARRAY['adjustment_id'], true),
           ('agreement', ARRAY['agreement_id'], true),
           ('agreement_price', ARRAY['agreement_id', 'position'], false),
           ('agreement_tier', ARRAY['agreement_id', 'from_crawl'], false),
           ('applied_credit', ARRAY['site_id', 'number', 'from_number', 'step'], true),
           ('archive', ARRAY['archive_id'], false),
           ('checkpoint_key_change', ARRAY['site_id', 'number'], true),
           ('console_token', ARRAY['name'], false),
           ('console_token_revocation', ARRAY['name'], false),
           ('cosignature', ARRAY['site_id', 'log_size', 'witness'], true),
           ('crawler', ARRAY['crawler_id'], false),
           ('crawler_key', ARRAY['crawler_id', 'thumbprint'], false),
           ('crawler_key_source', ARRAY['crawler_id', 'thumbprint', 'url', 'body_digest'], false),
           ('day_close', ARRAY['site_id', 'local_date'], true),
           ('day_delivery', ARRAY['site_id', 'local_date'], true),
           ('day_seal', ARRAY['site_id', 'local_date'], true),
           ('directory_snapshot', ARRAY['url', 'body_digest'], false),
           ('dispute', ARRAY['dispute_id'], true),
           ('dispute_event', ARRAY['dispute_id', 'step'], true),
           ('dispute_finding', ARRAY['dispute_id', 'payment_id'], true),
           ('dispute_subject', ARRAY['dispute_id', 'position'], true),
           ('invoice', ARRAY['site_id', 'number'], true),
           ('invoice_event', ARRAY['site_id', 'number', 'step'], true),
           ('invoice_line', ARRAY['site_id', 'number', 'line'], true),
           ('invoice_payment', ARRAY['site_id', 'number', 'reference'], true),
           ('offer_terms', ARRAY['site_id', 'terms_url', 'ttl_seconds'], true),
           ('operator_action', ARRAY['action_id'], false),
           ('seller_logo', ARRAY['digest'], false),
           ('settlement', ARRAY['site_id', 'number', 'rail', 'attempt'], true),
           ('settlement_batch', ARRAY['batch_id'], true),
           ('site', ARRAY['site_id'], false),
           ('site_terms', ARRAY['site_id', 'version'], true),
           ('site_zone', ARRAY['site_id', 'version'], true),
           ('token', ARRAY['site_id', 'name'], true),
           ('token_revocation', ARRAY['site_id', 'name'], true),
           ('undelivered', ARRAY['payment_id'], true),
           ('unproven', ARRAY['payment_id'], true)
$$;
COMMENT ON FUNCTION fact_sources IS 'The tables whose rows are facts, the columns that tell their rows apart,
and whether each row is a site''s, by its column site_id. A site''s own row is of none: who takes it away
takes away all that would be audited. What follows from facts and entries alone is computed again and is no
fact.';

CREATE TRIGGER noted AFTER INSERT ON cosignature REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION note_facts();
ALTER TABLE cosignature ENABLE ALWAYS TRIGGER noted;

DO $$
BEGIN
    EXECUTE format('GRANT SELECT, INSERT ON cosignature TO %I', current_setting('crawltab.operator_role'));
    EXECUTE format('GRANT SELECT ON cosignature TO %I', current_setting('crawltab.gate_role'));
END
$$;
