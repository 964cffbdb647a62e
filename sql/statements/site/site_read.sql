-- What site $1 was registered with; its zone as it was recorded last, and that of the day which clock $2
-- is in.
-- columns: site_id bigint, currency text, time_zone text, network text, day_zone text
SELECT s.site_id, s.currency,
       coalesce((SELECT z.time_zone FROM site_zone z WHERE z.site_id = s.site_id
                  ORDER BY z.version DESC LIMIT 1), s.time_zone) AS time_zone,
       s.network,
       d.time_zone AS day_zone
  FROM site s
  LEFT JOIN LATERAL (SELECT n.starts_at, n.time_zone FROM day n
                      WHERE n.site_id = s.site_id AND n.ends_at > instant($2::bigint)
                      ORDER BY n.ends_at LIMIT 1) AS d ON d.starts_at <= instant($2::bigint)
 WHERE s.name = $1::text
