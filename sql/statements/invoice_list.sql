-- Newest first, of site $1 or all; of day $2 or all.
SELECT i.site_name, i.number, i.local_date, i.agent, i.entries, i.total_minor, i.currency,
       i.currency_decimals, e.event
  FROM invoice i
  JOIN LATERAL (SELECT event FROM invoice_event WHERE site_id = i.site_id AND number = i.number
                 ORDER BY step DESC LIMIT 1) AS e ON true
 WHERE ($1::text IS NULL OR i.site_name = $1::text) AND ($2::date IS NULL OR i.local_date = $2::date)
 ORDER BY i.local_date DESC, i.site_name, i.sequence
