-- Dispute $3 of site $1 and crawler $2, with what it is about, what happened and what was found. Who of the
-- publisher's people did it is not in it. No row: it is not theirs.
-- columns: document json
SELECT json_build_object(
           'dispute_id', d.dispute_id, 'opened_by', d.opened_by, 'reason', d.reason,
           'statement', d.statement, 'opened_at', instant_text(d.opened_at),
           'due_at', instant_text(d.due_at), 'status', s.status, 'status_at', instant_text(s.status_at),
           'claimed_micros', s.claimed_micros, 'upheld_micros', s.upheld_micros,
           'subjects', (SELECT json_agg(json_build_object('payment_id', b.payment_id, 'invoice', b.number,
                                   'line', b.line, 'amount_micros', b.amount_micros) ORDER BY b.position)
                          FROM dispute_subject b WHERE b.dispute_id = d.dispute_id),
           'events', (SELECT json_agg(json_build_object('event', e.event,
                                 'at', instant_text(e.happened_at), 'detail', e.detail) ORDER BY e.step)
                        FROM dispute_event e WHERE e.dispute_id = d.dispute_id),
           'findings', (SELECT coalesce(json_agg(json_build_object('payment_id', f.payment_id,
                                   'rule', f.rule, 'amount_micros', f.amount_micros) ORDER BY f.payment_id),
                               '[]')
                          FROM dispute_finding f WHERE f.dispute_id = d.dispute_id)) AS document
  FROM dispute d JOIN dispute_state s USING (dispute_id)
 WHERE d.site_id = $1::bigint AND d.crawler_id = $2::bigint AND d.dispute_id = $3::uuid
