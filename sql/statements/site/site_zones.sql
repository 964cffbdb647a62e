-- Every site with its zones: the first one, and what was recorded since.
-- columns: site text, currency text, network text, from_date text, time_zone text, version integer
SELECT s.name AS site, s.currency, s.network, '' AS from_date, s.time_zone, 0 AS version FROM site s
UNION ALL
SELECT s.name, s.currency, s.network, z.from_date::text, z.time_zone, z.version
  FROM site_zone z JOIN site s USING (site_id)
 ORDER BY 1, 6
