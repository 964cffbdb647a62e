-- That a ledger is a sandbox is sealed with its first closed day: without the row its invoices would be owed.
-- Gates since 46 go on.

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
           ('dispute_piece', ARRAY['dispute_id', 'position'], true),
           ('dispute_subject', ARRAY['dispute_id', 'position'], true),
           ('invoice', ARRAY['site_id', 'number'], true),
           ('invoice_event', ARRAY['site_id', 'number', 'step'], true),
           ('invoice_line', ARRAY['site_id', 'number', 'line'], true),
           ('invoice_payment', ARRAY['site_id', 'number', 'reference'], true),
           ('offer_terms', ARRAY['site_id', 'terms_url', 'ttl_seconds'], true),
           ('operator_action', ARRAY['action_id'], false),
           ('sandbox', ARRAY['single'], false),
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

CREATE TRIGGER noted AFTER INSERT ON sandbox REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION note_facts();
ALTER TABLE sandbox ENABLE ALWAYS TRIGGER noted;

INSERT INTO fact (source, key, site_id, digest)
SELECT 'sandbox', f.key, NULL, f.digest FROM facts_of('sandbox', NULL) f;
