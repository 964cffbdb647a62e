INSERT INTO invoice_event (site_id, number, step, event, happened_at, actor)
SELECT site_id, number, 1, 'issued', instant($3::bigint), $4::text
  FROM invoice WHERE site_id = $1::bigint AND local_date = $2::date
