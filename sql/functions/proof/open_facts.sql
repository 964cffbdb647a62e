CREATE OR REPLACE FUNCTION open_facts(of_site bigint) RETURNS TABLE (source text, key text, digest bytea)
    LANGUAGE sql STABLE AS $$
    SELECT f.source, f.key, f.digest
      FROM fact f
     WHERE f.made_at >= interval '-2 days' + coalesce(
               (SELECT d.sealed_at FROM day_fact d
                 WHERE d.site_id = of_site ORDER BY d.local_date DESC LIMIT 1),
               (SELECT least(newest.sealed_at, own.made_at)
                  FROM (SELECT max(d.sealed_at) AS sealed_at FROM day_fact d) AS newest
                  JOIN fact own ON own.source = 'site' AND own.key = of_site::text
                 WHERE newest.sealed_at IS NOT NULL), '-infinity')
       AND (f.site_id = of_site OR f.site_id IS NULL)
       AND NOT EXISTS (SELECT FROM day_fact d WHERE d.source = f.source AND d.key = f.key)
$$;
COMMENT ON FUNCTION open_facts IS 'The facts of a site, and of none, that no closed day has sealed. A row is
noted when it is made, and seen here when it is committed: no transaction lasts as long as the two days that
are looked back over. Before a site''s first close it is looked back to where the site begins, or, for what is
of no site, to the newest seal.';
