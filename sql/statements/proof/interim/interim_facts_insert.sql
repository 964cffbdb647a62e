-- Lists in interim checkpoint $2 of site $1, which begins at id $3, the facts that no closed day has sealed
-- and no interim checkpoint since the last close has listed. A checkpoint that was made before a close begins
-- a day before its end at the earliest. What is listed twice does no harm.
-- columns: facts bigint, digest bytea
WITH made AS (
    INSERT INTO interim_fact (site_id, number, first_id, source, key, digest)
    SELECT $1::bigint, $2::bigint, $3::uuid, f.source, f.key, f.digest FROM open_facts($1::bigint) f
     WHERE NOT EXISTS (
               SELECT FROM interim_fact l
                WHERE l.source = f.source AND l.key = f.key
                  AND l.first_id >= coalesce(
                          (SELECT uuid_floor(d.ends_at - interval '24 hours')
                             FROM day_close c JOIN day d USING (site_id, local_date)
                            WHERE c.site_id = $1::bigint ORDER BY c.local_date DESC LIMIT 1),
                          '00000000-0000-0000-0000-000000000000'))
    RETURNING source, key, digest
)
SELECT count(*) AS facts,
       sha256(coalesce(string_agg(m.digest, ''::bytea ORDER BY m.source COLLATE "C", m.key COLLATE "C"),
                       ''::bytea)) AS digest
  FROM made m
