-- The invoice document, whose members ledger/format/document.h explains, of number $1 and site $2 (NULL: any)
-- at instant $3. json, not jsonb, which would sort the members.
-- columns: document json
WITH wanted AS (
    SELECT i.*, c.close_number, d.due_at AS scheduled_at,
           coalesce((SELECT max(b.close_number) FROM crawler_day b
                      WHERE b.site_id = i.site_id AND b.crawler_id = i.crawler_id AND b.invoiced_micros > 0
                        AND b.close_number < c.close_number), 0) AS last_close
      FROM invoice i JOIN crawler_day c ON c.site_id = i.site_id AND c.crawler_id = i.crawler_id
       AND c.local_date = coalesce(i.crawls_date, i.local_date)
      JOIN day_close d ON d.site_id = i.site_id AND d.local_date = i.local_date
     WHERE i.number = $1::text AND ($2::text IS NULL OR i.site_name = $2::text)
)
SELECT json_build_object(
    'number', i.number, 'kind', i.kind, 'corrects', corrected.document, 'replaces', replaced.document,
    'replaced_by', replacing.document, 'site', i.site_name,
    'network', i.network, 'agent', i.agent, 'issue_date', i.issue_date,
    'issued_at', instant_text(coalesce(i.made_at, events.issued_at)),
    'made_at', instant_text(i.made_at), 'scheduled_at', instant_text(i.scheduled_at),
    'due_date', i.due_date, 'currency', i.currency, 'currency_decimals', i.currency_decimals,
    'period', json_build_object('first_date', i.first_date,
        'last_date', coalesce(i.crawls_date, i.local_date),
        'starts_at', instant_text(i.starts_at), 'ends_at', instant_text(i.ends_at), 'time_zone', i.time_zone),
    'seller', i.seller_party || coalesce((
        SELECT jsonb_build_object('logo', 'data:' || l.media_type || ';base64,'
                                          || replace(encode(l.picture, 'base64'), chr(10), ''))
          FROM seller_logo l WHERE l.digest = i.seller_party ->> 'logo'), '{}'),
    'buyer', i.buyer_party, 'settlement', i.settlement, 'agreement', agreed.document,
    'lines', coalesce(lines.list, '[]'),
    'entries', i.entries, 'carried_in_micros', i.carried_in_micros, 'subtotal_micros', i.subtotal_micros,
    'net_micros', i.net_micros, 'carried_out_micros', i.carried_out_micros, 'net_minor', i.net_minor,
    'tax', json_build_object('treatment', i.tax_treatment, 'rate_ppm', i.tax_rate_ppm,
        'amount_minor', i.tax_minor, 'note', i.tax_note),
    'total_minor', i.total_minor, 'total', minor_text(i.total_minor, i.currency_decimals),
    'rounding', i.rounding,
    'notice', CASE WHEN EXISTS (SELECT FROM sandbox)
                   THEN 'A trial, made with a moved clock: nothing on this document is owed.' ELSE '' END,
    'status', CASE WHEN state.status IN ('issued', 'sent', 'part-paid')
                    AND i.due_date < (instant($3::bigint) AT TIME ZONE i.time_zone)::date
                   THEN 'overdue' ELSE state.status END,
    'status_at', instant_text(state.status_at), 'paid_minor', state.paid_minor,
    'credited_minor', state.credited_minor, 'applied_minor', state.applied_minor,
    'open_minor', state.open_minor, 'written_off_on', coalesce(events.written_off_on::text, ''),
    'disputed_micros', disputed_amount(i.site_id, i.number),
    'events', events.list, 'payments', coalesce(payments.list, '[]'),
    'applied', coalesce(applied.list, '[]'), 'credit_notes', coalesce(notes.list, '[]'),
    'days', coalesce(days.list, '[]')) AS document
  FROM wanted i
  JOIN invoice_state state USING (site_id, number)
  LEFT JOIN LATERAL (
      SELECT json_build_object('number', o.number, 'date', o.issue_date) AS document
        FROM invoice o WHERE o.site_id = i.site_id AND o.number = i.corrects) AS corrected ON true
  LEFT JOIN LATERAL (
      SELECT json_build_object('number', o.number, 'date', o.issue_date) AS document
        FROM invoice o WHERE o.site_id = i.site_id AND o.number = i.replaces) AS replaced ON true
  LEFT JOIN LATERAL (
      SELECT json_build_object('number', o.number, 'date', o.issue_date) AS document
        FROM invoice o WHERE o.site_id = i.site_id AND o.replaces = i.number) AS replacing ON true
  LEFT JOIN LATERAL (
      SELECT json_build_object('version', a.version, 'text', i.terms) AS document
        FROM agreement a WHERE a.agreement_id = i.agreement_id) AS agreed ON true
  CROSS JOIN LATERAL (
      SELECT json_agg(json_build_object('line', l.line, 'kind', l.kind, 'description', l.description,
                 'quantity', l.quantity, 'unit_price_micros', l.unit_price_micros,
                 'amount_micros', l.amount_micros, 'payment_id', a.payment_id) ORDER BY l.line) AS list
        FROM invoice_line l LEFT JOIN adjustment a USING (adjustment_id)
       WHERE l.site_id = i.site_id AND l.number = i.number) AS lines
  CROSS JOIN LATERAL (
      SELECT min(e.happened_at) AS issued_at,
             (min(e.happened_at) FILTER (WHERE e.event = 'written-off') AT TIME ZONE i.time_zone)::date
                 AS written_off_on,
             json_agg(json_build_object('event', e.event, 'at', instant_text(e.happened_at),
                 'actor', e.actor, 'detail', e.detail) ORDER BY e.step) AS list
        FROM invoice_event e WHERE e.site_id = i.site_id AND e.number = i.number) AS events
  CROSS JOIN LATERAL (
      SELECT json_agg(json_build_object('amount_minor', p.amount_minor, 'reference', p.reference,
                 'received_on', p.received_on, 'recorded_at', instant_text(p.recorded_at))
                 ORDER BY p.received_on, p.recorded_at, p.reference) AS list
        FROM invoice_payment p WHERE p.site_id = i.site_id AND p.number = i.number) AS payments
  CROSS JOIN LATERAL (
      SELECT json_agg(json_build_object('number', p.other, 'amount_minor', p.minor,
                 'at', instant_text(p.applied_at)) ORDER BY p.applied_at, p.other, p.step) AS list
        FROM (SELECT from_number AS other, amount_minor AS minor, applied_at, step FROM applied_credit
               WHERE site_id = i.site_id AND number = i.number
              UNION ALL
              SELECT number, -amount_minor, applied_at, step FROM applied_credit
               WHERE site_id = i.site_id AND from_number = i.number) AS p) AS applied
  CROSS JOIN LATERAL (
      SELECT json_agg(json_build_object('number', n.number, 'date', n.issue_date,
                 'total_minor', n.total_minor) ORDER BY n.issue_date, n.sequence) AS list
        FROM invoice n WHERE n.site_id = i.site_id AND n.corrects = i.number) AS notes
  CROSS JOIN LATERAL (
      SELECT json_agg(json_build_object('date', t.local_date, 'entries', t.entries,
                 'sum_micros', t.sum_micros) ORDER BY t.close_number) AS list
        FROM crawler_day t
       WHERE i.kind = 'invoice' AND t.site_id = i.site_id AND t.crawler_id = i.crawler_id AND t.entries > 0
         AND t.close_number > i.last_close AND t.close_number <= i.close_number) AS days
