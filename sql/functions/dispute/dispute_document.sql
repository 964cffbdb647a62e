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
