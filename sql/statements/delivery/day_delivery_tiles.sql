-- The tiles of the deliveries of day $2 of site $1, which is being closed.
INSERT INTO delivery_tile (site_id, local_date, first_id, deliveries)
SELECT $1::bigint, $2::date, t.first_id, t.deliveries
  FROM billing_day($1::bigint, $2::date) b
 CROSS JOIN LATERAL delivery_tiles($1::bigint, b.first_id, b.end_id) AS t
