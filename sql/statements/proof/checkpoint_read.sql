-- What was signed when day $2 of site $1 was closed.
SELECT log_size, day_root, leaf, log_root, note, verifier_key FROM checkpoint
 WHERE site_id = $1::bigint AND local_date = $2::date
