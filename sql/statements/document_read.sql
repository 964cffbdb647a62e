-- The invoice document, whose members ledger/document.h explains, of number $1 and site $2 (NULL: any) at
-- instant $3. json, not jsonb, which would sort the members. The session's time zone is UTC.
WITH wanted AS (
    SELECT *, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"' AS iso FROM invoice
     WHERE number = $1::text AND ($2::text IS NULL OR site_name = $2::text)
), days AS (
    SELECT i.site_id, min(d.local_date) AS first_date, min(d.starts_at) AS starts_at,
           json_agg(json_build_object('date', t.local_date, 'entries', t.entries, 'sum_micros', t.sum_micros)
                    ORDER BY t.local_date) AS list
      FROM wanted i
      JOIN crawler_day c USING (site_id, local_date, crawler_id)
      JOIN crawler_day t ON t.site_id = i.site_id AND t.crawler_id = i.crawler_id
       AND t.close_number <= c.close_number
       AND t.close_number > coalesce((SELECT max(b.close_number) FROM crawler_day b
                WHERE b.site_id = i.site_id AND b.crawler_id = i.crawler_id AND b.invoiced_micros > 0
                  AND b.close_number < c.close_number), 0)
      JOIN day d ON d.site_id = t.site_id AND d.local_date = t.local_date
     GROUP BY i.site_id
), lines AS (
    SELECT i.site_id, json_agg(json_build_object('line', l.line, 'kind', 'crawls',
                    'description', l.description, 'quantity', l.quantity,
                    'unit_price_micros', l.unit_price_micros, 'amount_micros', l.amount_micros)
                    ORDER BY l.line) AS list
      FROM wanted i JOIN invoice_line l USING (site_id, number) GROUP BY i.site_id
), events AS (
    SELECT i.site_id, min(e.happened_at) AS issued_at, max(e.happened_at) AS status_at,
           (array_agg(e.event ORDER BY e.step DESC))[1] AS status,
           json_agg(json_build_object('event', e.event, 'at', to_char(e.happened_at, iso),
                    'actor', e.actor, 'detail', '') ORDER BY e.step) AS list
      FROM wanted i JOIN invoice_event e USING (site_id, number) GROUP BY i.site_id
)
SELECT json_build_object(
    'number', i.number, 'kind', 'invoice', 'corrects', NULL::text, 'site', i.site_name,
    'network', i.network, 'agent', i.agent, 'issue_date', i.local_date,
    'issued_at', to_char(events.issued_at, iso), 'due_date', i.local_date + 30, 'currency', i.currency,
    'currency_decimals', i.currency_decimals,
    'period', json_build_object('first_date', days.first_date, 'last_date', i.local_date,
        'starts_at', to_char(days.starts_at, iso), 'ends_at', to_char(i.ends_at, iso),
        'time_zone', i.time_zone),
    'seller', json_build_object('name', i.seller), 'buyer', json_build_object('name', i.agent),
    'settlement', json_build_object(), 'agreement', NULL::text, 'lines', lines.list, 'entries', i.entries,
    'carried_in_micros', i.carried_in_micros, 'subtotal_micros', i.subtotal_micros,
    'net_micros', i.total_micros, 'carried_out_micros', i.carried_out_micros, 'net_minor', i.total_minor,
    'tax', json_build_object('treatment', 'none', 'rate_ppm', 0, 'amount_minor', 0, 'note', ''),
    'total_minor', i.total_minor, 'rounding', i.rounding,
    'status', CASE WHEN i.local_date + 30 < (instant($3::bigint) AT TIME ZONE i.time_zone)::date
                   THEN 'overdue' ELSE events.status END,
    'status_at', to_char(events.status_at, iso), 'open_minor', i.total_minor, 'events', events.list,
    'payments', json_build_array(), 'credit_notes', json_build_array(), 'days', days.list)
  FROM wanted i JOIN days USING (site_id) JOIN lines USING (site_id) JOIN events USING (site_id)
