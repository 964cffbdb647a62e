-- The facts of day $2 of site $1 in the order of their tree, for pg_stream.
-- columns: digest bytea
DECLARE stream NO SCROLL CURSOR FOR
SELECT d.digest FROM day_fact d WHERE d.site_id = $1::bigint AND d.local_date = $2::date
 ORDER BY d.source COLLATE "C", d.key COLLATE "C"
