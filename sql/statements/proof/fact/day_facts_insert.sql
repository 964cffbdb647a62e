-- Seals into day $2 of site $1 what no day has yet. Two sites' nights may meet at what is of no site: the
-- later one waits for the other's transaction, and leaves it to that.
INSERT INTO day_fact (source, key, site_id, local_date, digest)
SELECT f.source, f.key, $1::bigint, $2::date, f.digest FROM open_facts($1::bigint) f
 ORDER BY f.source, f.key ON CONFLICT DO NOTHING
