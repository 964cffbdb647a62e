-- The newest checkpoint of each site, of site $1 or all; with $2, the one that was made for that day.
-- columns: site text, local_date date, log_size bigint, note text, verifier_key text, leaf bytea
SELECT DISTINCT ON (s.name) s.name AS site, c.local_date, c.log_size, c.note, c.verifier_key, c.leaf
  FROM checkpoint c JOIN site s USING (site_id)
 WHERE ($1::text IS NULL OR s.name = $1::text) AND ($2::date IS NULL OR c.local_date = $2::date)
 ORDER BY s.name, c.log_size DESC
