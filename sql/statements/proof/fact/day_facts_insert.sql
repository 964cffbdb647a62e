-- Seals into day $2 of site $1 what no day has yet. A row is noted when it is made, and seen here when it is
-- committed: no transaction lasts as long as the two days that are looked back over. A site's first close
-- looks back to where the site begins, or, for what is of no site, to the newest seal. Two sites' nights may
-- meet at what is of no site: the later one waits for the other's transaction, and leaves it to that.
INSERT INTO day_fact (source, key, site_id, local_date, digest)
SELECT f.source, f.key, $1::bigint, $2::date, f.digest
  FROM fact f
 WHERE f.made_at >= interval '-2 days' + coalesce(
           (SELECT d.sealed_at FROM day_fact d
             WHERE d.site_id = $1::bigint ORDER BY d.local_date DESC LIMIT 1),
           (SELECT least(newest.sealed_at, own.made_at)
              FROM (SELECT max(d.sealed_at) AS sealed_at FROM day_fact d) AS newest
              JOIN fact own ON own.source = 'site' AND own.key = $1::text
             WHERE newest.sealed_at IS NOT NULL), '-infinity')
   AND (f.site_id = $1::bigint OR f.site_id IS NULL)
   AND NOT EXISTS (SELECT FROM day_fact d WHERE d.source = f.source AND d.key = f.key)
 ORDER BY f.source, f.key ON CONFLICT DO NOTHING
