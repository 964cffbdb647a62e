-- The checkpoints of site $1 after size $2 of its log, oldest first, a page of them.
-- columns: log_size bigint, note text
SELECT log_size, note FROM checkpoint
 WHERE site_id = $1::bigint AND log_size > $2::bigint ORDER BY log_size LIMIT 100
