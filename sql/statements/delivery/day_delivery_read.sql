-- What was sealed of the deliveries of day $2 of site $1; no row: there were none.
-- columns: deliveries bigint, tiles bigint, root bytea
SELECT d.deliveries, d.tiles, d.root
  FROM day_delivery d WHERE d.site_id = $1::bigint AND d.local_date = $2::date
