-- The next interim checkpoint of site $1, at time $2 (ms): up to $3 ms and the longest life of an offer ago,
-- since what is older than that is committed or never will be. It begins where the last one ended, or the
-- newest sealed day did, and ends at a midnight (UTC) at the latest, as its lists leave with that day's
-- entries. `due`: there is time to cover.
-- columns: number bigint, first_id uuid, end_id uuid, due boolean, previous text
WITH last AS (
    SELECT i.number, i.end_id, i.note FROM interim i WHERE i.site_id = $1::bigint
     ORDER BY i.number DESC LIMIT 1
), begins AS (
    SELECT coalesce(
               greatest((SELECT end_id FROM last),
                        (SELECT d.end_id FROM day_seal d WHERE d.site_id = $1::bigint
                          ORDER BY d.end_id DESC LIMIT 1)),
               (SELECT uuid_floor(d.starts_at) FROM day d WHERE d.site_id = $1::bigint
                 ORDER BY d.starts_at LIMIT 1)) AS first_id
), ends AS (
    SELECT b.first_id, least(uuid_floor(date_trunc('day', uuid_instant(b.first_id), 'UTC')
                                         + interval '24 hours'),
                             uuid_floor(instant($2::bigint - $3::bigint - coalesce(
                                 (SELECT max(t.ttl_seconds) FROM offer_terms t WHERE t.site_id = $1::bigint),
                                 3600) * 1000))) AS end_id
      FROM begins b
)
SELECT coalesce((SELECT number FROM last), 0) + 1 AS number, e.first_id, e.end_id,
       coalesce(e.first_id < e.end_id, false) AS due, coalesce((SELECT note FROM last), '') AS previous
  FROM ends e
