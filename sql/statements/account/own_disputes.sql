-- Disputes of site $1 and crawler $2 with ids above $3 (NULL: all), $4 at most, the oldest first.
-- columns: dispute_id uuid, opened_by text, reason text, opened_at text, due_at text, status text,
--   status_at text, claimed_micros bigint, upheld_micros bigint
SELECT d.dispute_id, d.opened_by, d.reason, instant_text(d.opened_at) AS opened_at,
       instant_text(d.due_at) AS due_at, s.status, instant_text(s.status_at) AS status_at, s.claimed_micros,
       s.upheld_micros
  FROM dispute d JOIN dispute_state s USING (dispute_id)
 WHERE d.site_id = $1::bigint AND d.crawler_id = $2::bigint
   AND ($3::uuid IS NULL OR d.dispute_id > $3::uuid)
 ORDER BY d.dispute_id LIMIT $4::bigint
