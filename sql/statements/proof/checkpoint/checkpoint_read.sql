-- What was signed when day $2 of site $1 was closed.
-- columns: day_root bytea, leaf bytea
SELECT day_root, leaf FROM checkpoint
 WHERE site_id = $1::bigint AND local_date = $2::date
