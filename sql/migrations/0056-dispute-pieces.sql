-- More evidence for a dispute after it was opened: files of the publisher's, on which a decision rests.
-- Gates since 46 go on.

CREATE TABLE dispute_piece (
    dispute_id uuid NOT NULL REFERENCES dispute,
    position integer NOT NULL CHECK (position BETWEEN 1 AND 50),
    site_id bigint NOT NULL REFERENCES site,
    name text NOT NULL CHECK (name <> '' AND octet_length(name) <= 255),
    media_type text NOT NULL CHECK (media_type IN ('application/pdf', 'image/png', 'image/jpeg',
                                                   'text/plain')),
    digest bytea NOT NULL CHECK (digest = sha256(content)),
    content bytea NOT NULL CHECK (octet_length(content) BETWEEN 1 AND 1048576),
    note text NOT NULL CHECK (octet_length(note) <= 4096),
    added_at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor <> ''),
    PRIMARY KEY (dispute_id, position),
    UNIQUE (dispute_id, digest)
);
COMMENT ON TABLE dispute_piece IS 'Files that were put to a dispute after it was opened, as evidence. What
came with its opening is in dispute.';
COMMENT ON COLUMN dispute_piece.media_type IS 'By what is in the file, and not by what it is called.';
COMMENT ON COLUMN dispute_piece.digest IS 'SHA-256 of the content.';
SELECT make_append_only('dispute_piece');

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

CREATE OR REPLACE FUNCTION dispute_document(of_dispute uuid) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT jsonb_build_object(
        'dispute_id', d.dispute_id, 'site', s.name, 'agent', k.agent, 'opened_by', d.opened_by,
        'reason', d.reason, 'statement', d.statement, 'evidence', d.evidence_name,
        'opened_at', instant_text(d.opened_at), 'due_at', instant_text(d.due_at), 'currency', s.currency,
        'status', t.status, 'open', t.open, 'claimed_micros', t.claimed_micros,
        'upheld_micros', t.upheld_micros,
        'subjects', (
            SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                       'payment_id', u.payment_id, 'invoice', coalesce(u.number, billing_invoice(
                           d.site_id, d.crawler_id, u.payment_id, 9223372036854775807)),
                       'line', u.line, 'amount_micros', u.amount_micros)) ORDER BY u.position)
              FROM dispute_subject u WHERE u.dispute_id = d.dispute_id),
        'findings', coalesce((
            SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                       'payment_id', f.payment_id, 'rule', f.rule, 'amount_micros', f.amount_micros,
                       'adjustment_id', f.adjustment_id, 'stands_on', n.number)) ORDER BY f.payment_id)
              FROM (SELECT * FROM dispute_finding w WHERE w.dispute_id = d.dispute_id
                     ORDER BY w.payment_id LIMIT 1000) AS f
              LEFT JOIN LATERAL (
                   SELECT i.number FROM crawler_day_line l JOIN invoice i ON i.site_id = l.site_id
                      AND i.crawler_id = l.crawler_id AND i.corrects IS NOT DISTINCT FROM l.corrects
                      AND (i.local_date = l.local_date OR l.corrects IS NULL AND i.local_date > l.local_date)
                      AND i.replaces IS NULL
                    WHERE l.adjustment_id = f.adjustment_id ORDER BY i.local_date LIMIT 1) AS n ON true),
            '[]'),
        'pieces', coalesce((
            SELECT jsonb_agg(jsonb_build_object(
                       'dispute_id', d.dispute_id, 'piece', p.position, 'name', p.name,
                       'media_type', p.media_type, 'bytes', p.bytes, 'sha256', encode(p.digest, 'hex'),
                       'note', p.note, 'added_at', instant_text(p.added_at), 'actor', p.actor)
                       ORDER BY p.position)
              FROM (SELECT 0 AS position, d.evidence_name AS name, 'application/octet-stream' AS media_type,
                           octet_length(d.evidence) AS bytes, sha256(d.evidence) AS digest, '' AS note,
                           d.opened_at AS added_at, d.actor
                     WHERE d.evidence IS NOT NULL
                    UNION ALL
                    SELECT w.position, w.name, w.media_type, octet_length(w.content), w.digest, w.note,
                           w.added_at, w.actor
                      FROM dispute_piece w WHERE w.dispute_id = d.dispute_id) AS p), '[]'),
        'events', (
            SELECT jsonb_agg(jsonb_build_object('event', e.event, 'at', instant_text(e.happened_at),
                                                'actor', e.actor, 'detail', e.detail) ORDER BY e.step)
              FROM dispute_event e WHERE e.dispute_id = d.dispute_id))
      FROM dispute d JOIN dispute_state t USING (dispute_id) JOIN site s ON s.site_id = d.site_id
      JOIN crawler k ON k.crawler_id = d.crawler_id
     WHERE d.dispute_id = of_dispute
$$;
COMMENT ON FUNCTION dispute_document IS 'A dispute as programs and webhooks get it, with its subjects, at most
a thousand of its findings, its pieces of evidence (0 is what came with its opening), and its events.
stands_on: the credit note or invoice that gives it back.';

CREATE TRIGGER noted AFTER INSERT ON dispute_piece REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION note_facts();
ALTER TABLE dispute_piece ENABLE ALWAYS TRIGGER noted;

DO $$
BEGIN
    EXECUTE format('GRANT SELECT, INSERT ON dispute_piece TO %I', current_setting('crawltab.operator_role'));
END
$$;
