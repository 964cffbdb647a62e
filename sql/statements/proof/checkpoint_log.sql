-- The log of site $1 from the beginning.
SELECT log_size, leaf, log_root, local_date, note, verifier_key FROM checkpoint
 WHERE site_id = $1::bigint ORDER BY log_size
