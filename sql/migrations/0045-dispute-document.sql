-- What invoices show of open disputes, and disputes as documents.

CREATE FUNCTION disputed_amount(of_site bigint, of_number text) RETURNS bigint
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(sum(s.amount_micros - coalesce(u.upheld_micros, 0)), 0)::bigint
      FROM invoice i
      JOIN dispute d ON d.site_id = i.site_id AND d.crawler_id = i.crawler_id
      JOIN dispute_subject s USING (dispute_id)
     CROSS JOIN LATERAL (
          SELECT sum(f.amount_micros) AS upheld_micros
            FROM dispute_finding f JOIN charge c USING (payment_id)
            JOIN invoice_line l ON l.description = c.rule AND l.unit_price_micros = c.amount_micros
           WHERE f.dispute_id = s.dispute_id AND l.site_id = s.site_id AND l.number = s.number
             AND l.line = s.line) AS u
     WHERE i.site_id = of_site AND i.number = of_number AND i.kind = 'invoice'
       AND NOT EXISTS (SELECT FROM dispute_event e WHERE e.dispute_id = d.dispute_id
                          AND e.event IN ('upheld', 'part_upheld', 'rejected'))
       AND coalesce(s.number, billing_invoice(i.site_id, i.crawler_id, s.payment_id, 9223372036854775807))
           = of_number
       AND NOT EXISTS (SELECT FROM dispute_finding f
                        WHERE f.dispute_id = s.dispute_id AND f.payment_id = s.payment_id)
$$;
COMMENT ON FUNCTION disputed_amount IS 'How much of what an invoice bills is in open disputes, by the prices
of crawls and the amounts of lines; without what was upheld of them already.';

CREATE FUNCTION dispute_document(of_dispute uuid) RETURNS jsonb
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
        'events', (
            SELECT jsonb_agg(jsonb_build_object('event', e.event, 'at', instant_text(e.happened_at),
                                                'actor', e.actor, 'detail', e.detail) ORDER BY e.step)
              FROM dispute_event e WHERE e.dispute_id = d.dispute_id))
      FROM dispute d JOIN dispute_state t USING (dispute_id) JOIN site s ON s.site_id = d.site_id
      JOIN crawler k ON k.crawler_id = d.crawler_id
     WHERE d.dispute_id = of_dispute
$$;
COMMENT ON FUNCTION dispute_document IS 'A dispute as programs and webhooks get it, with its subjects, at most
a thousand of its findings, and its events. stands_on: the credit note or invoice that gives it back.';
