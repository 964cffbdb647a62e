-- The days of site $1 that have a checkpoint, oldest first; only day $2 unless it is NULL.
SELECT local_date FROM checkpoint
 WHERE site_id = $1::bigint AND ($2::date IS NULL OR local_date = $2::date) ORDER BY log_size
