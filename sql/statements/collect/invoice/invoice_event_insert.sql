INSERT INTO invoice_event (site_id, number, step, event, happened_at, actor, detail)
SELECT $1::bigint, $2::text, max(step) + 1, $3::text, instant($4::bigint), $5::text, $6::text
  FROM invoice_event WHERE site_id = $1::bigint AND number = $2::text
