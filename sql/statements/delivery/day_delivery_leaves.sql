-- The tiles of the deliveries of day $2 of site $1 as leaves of their tree, for pg_stream.
-- columns: digest bytea, deliveries bigint
DECLARE stream NO SCROLL CURSOR FOR
SELECT sha256('\x00'::bytea || t.deliveries) AS digest, octet_length(t.deliveries)::bigint / 48 AS deliveries
  FROM billing_day($1::bigint, $2::date) b
  JOIN delivery_tile t ON t.site_id = $1::bigint AND t.first_id >= b.first_id AND t.first_id < b.end_id
 ORDER BY t.first_id
