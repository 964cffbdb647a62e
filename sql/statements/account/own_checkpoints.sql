-- Checkpoints of site $1 of logs larger than $2, $3 at most, the oldest first; each note with the
-- lines of its cosignatures.
-- columns: log_size bigint, local_date date, note text, verifier_key text
SELECT c.log_size, c.local_date,
       c.note || (SELECT coalesce(string_agg(w.line, '' ORDER BY w.witness COLLATE "C"), '')
                    FROM cosignature w WHERE w.site_id = c.site_id AND w.log_size = c.log_size) AS note,
       c.verifier_key
  FROM checkpoint c
 WHERE c.site_id = $1::bigint AND c.log_size > $2::bigint ORDER BY c.log_size LIMIT $3::bigint
