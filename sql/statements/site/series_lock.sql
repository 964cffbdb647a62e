-- The guard of a site's days. NOWAIT: whoever comes second says so instead of queueing up.
-- columns: last_number bigint
SELECT last_number FROM number_series WHERE site_id = $1::bigint AND series = 'day' FOR UPDATE NOWAIT
