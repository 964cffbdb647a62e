-- The log of site $1 from the beginning.
-- columns: log_size bigint, leaf bytea, log_root bytea, local_date date, note text, verifier_key text
SELECT log_size, leaf, log_root, local_date, note, verifier_key FROM checkpoint
 WHERE site_id = $1::bigint ORDER BY log_size
