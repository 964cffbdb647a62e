-- Of each witness of the log of site $1 the longest log that it has cosigned.
-- columns: witness text, note text
SELECT DISTINCT ON (s.witness COLLATE "C") s.witness, c.note || s.line AS note
  FROM cosignature s JOIN checkpoint c USING (site_id, log_size)
 WHERE s.site_id = $1::bigint ORDER BY s.witness COLLATE "C", s.log_size DESC LIMIT 16
