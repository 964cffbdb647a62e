-- The key that signs the log of site $1 now, and the log as it is. No row: nothing was signed yet.
-- columns: verifier_key text, log_size bigint, log_root bytea
SELECT coalesce((SELECT new_key FROM checkpoint_key_change k WHERE k.site_id = c.site_id
                  ORDER BY number DESC LIMIT 1), c.verifier_key) AS verifier_key,
       c.log_size, c.log_root
  FROM checkpoint c WHERE c.site_id = $1::bigint ORDER BY c.log_size DESC LIMIT 1
