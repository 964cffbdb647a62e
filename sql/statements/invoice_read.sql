SELECT i.site_id, i.site_name, i.number, i.local_date, i.seller, i.agent, i.network, i.currency,
       i.currency_decimals, i.time_zone, instant_ms(i.starts_at), instant_ms(i.ends_at), i.entries,
       i.carried_in_micros, i.subtotal_micros, i.carried_out_micros, i.total_micros, i.total_minor,
       i.rounding, e.event, instant_ms(e.happened_at)
  FROM invoice i
  JOIN LATERAL (SELECT event, happened_at FROM invoice_event WHERE site_id = i.site_id AND number = i.number
                 ORDER BY step DESC LIMIT 1) AS e ON true
 WHERE i.number = $1::text AND ($2::text IS NULL OR i.site_name = $2::text) ORDER BY i.site_name
