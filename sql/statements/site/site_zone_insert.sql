-- From date $3 on, days of site $1 end at midnight in zone $2.
INSERT INTO site_zone (site_id, version, from_date, time_zone, recorded_at, actor)
SELECT $1::bigint, 1 + coalesce(max(version), 0), $3::date, $2::text, instant($4::bigint), $5::text
  FROM site_zone WHERE site_id = $1::bigint
