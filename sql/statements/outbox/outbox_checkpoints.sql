-- Of the newest 90 checkpoints of site $1, those that are in no message yet, oldest first. The message's id
-- is a digest of the log's site, size and root.
-- columns: message_id text, local_date date, log_size bigint, note text, verifier_key text, leaf bytea
WITH newest AS (
    SELECT 'cp_' || left(encode(sha256(convert_to(site_id || '/' || log_size || '/', 'UTF8')
                                         || log_root), 'hex'), 32)
               AS message_id, local_date, log_size, note, verifier_key, leaf
      FROM checkpoint WHERE site_id = $1::bigint ORDER BY log_size DESC LIMIT 90
)
SELECT message_id, local_date, log_size, note, verifier_key, leaf
  FROM newest WHERE NOT EXISTS (SELECT FROM outbox o WHERE o.message_id = newest.message_id)
 ORDER BY log_size
