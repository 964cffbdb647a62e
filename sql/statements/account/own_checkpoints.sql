-- Checkpoints of site $1 of logs larger than $2, $3 at most, the oldest first.
-- columns: log_size bigint, local_date date, note text, verifier_key text
SELECT log_size, local_date, note, verifier_key FROM checkpoint
 WHERE site_id = $1::bigint AND log_size > $2::bigint ORDER BY log_size LIMIT $3::bigint
