-- The changes of the key that signs the log of site $1, in order.
-- columns: log_size bigint, old_key text, new_key text, lost boolean, note text
SELECT log_size, old_key, new_key, lost, note FROM checkpoint_key_change
 WHERE site_id = $1::bigint ORDER BY number
