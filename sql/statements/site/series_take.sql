-- Takes $3 numbers and returns the last of them.
-- columns: last_number bigint
UPDATE number_series SET last_number = last_number + $3::bigint
 WHERE site_id = $1::bigint AND series = $2::text RETURNING last_number
