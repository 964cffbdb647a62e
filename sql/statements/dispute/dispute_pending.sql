-- The disputes of site $1 that no rule has looked at yet, oldest first.
-- columns: dispute_id uuid, crawler_id bigint
SELECT d.dispute_id, d.crawler_id FROM dispute d JOIN dispute_state s USING (dispute_id)
 WHERE d.site_id = $1::bigint AND s.status = 'opened' ORDER BY d.dispute_id
