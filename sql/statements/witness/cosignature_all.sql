-- All cosignatures of the log of site $1, with the checkpoint that each is of.
-- columns: log_size bigint, witness text, line text, note text, cosigned_ms bigint
SELECT s.log_size, s.witness, s.line, c.note, instant_ms(s.cosigned_at) AS cosigned_ms
  FROM cosignature s JOIN checkpoint c USING (site_id, log_size)
 WHERE s.site_id = $1::bigint ORDER BY s.log_size, s.witness COLLATE "C"
