-- The changes of the key that signs the log of site $1, in order.
SELECT log_size, old_key, new_key, lost, note FROM checkpoint_key_change
 WHERE site_id = $1::bigint ORDER BY number
