-- The newest checkpoint of each site, of site $1 or all; with $2, the one that was made for that day. And the
-- lines of its cosignatures.
-- columns: site text, local_date date, log_size bigint, note text, verifier_key text, leaf bytea,
--   cosigned text
SELECT DISTINCT ON (s.name) s.name AS site, c.local_date, c.log_size, c.note, c.verifier_key, c.leaf,
       (SELECT coalesce(string_agg(w.line, '' ORDER BY w.witness COLLATE "C"), '') FROM cosignature w
         WHERE w.site_id = c.site_id AND w.log_size = c.log_size) AS cosigned
  FROM checkpoint c JOIN site s USING (site_id)
 WHERE ($1::text IS NULL OR s.name = $1::text) AND ($2::date IS NULL OR c.local_date = $2::date)
 ORDER BY s.name, c.log_size DESC
