-- The next billing days of site $1 in which crawler $2 may have entries with ids above $3 and below $4: those
-- that are closed with some, and those that are open by clock $5. archived: some of the day's entries are in
-- a file.
-- columns: local_date date, first_id uuid, end_id uuid, closed boolean, entries bigint, sum_micros bigint,
--   archived boolean
SELECT d.local_date, uuid_floor(d.starts_at) AS first_id, uuid_floor(d.ends_at) AS end_id,
       c.local_date IS NOT NULL AS closed, coalesce(t.entries, 0) AS entries,
       coalesce(t.sum_micros, 0) AS sum_micros,
       EXISTS (SELECT FROM archived a
                WHERE d.starts_at < (a.utc_date + 1)::timestamp AT TIME ZONE 'UTC'
                  AND d.ends_at > a.utc_date::timestamp AT TIME ZONE 'UTC') AS archived
  FROM day d
  LEFT JOIN day_close c ON c.site_id = d.site_id AND c.local_date = d.local_date
  LEFT JOIN crawler_day t ON t.site_id = d.site_id AND t.local_date = d.local_date
   AND t.crawler_id = $2::bigint
 WHERE d.site_id = $1::bigint AND d.ends_at > uuid_instant($3::uuid) AND d.starts_at < uuid_instant($4::uuid)
   AND d.starts_at <= instant($5::bigint) AND (c.local_date IS NULL OR t.entries > 0)
 ORDER BY d.starts_at LIMIT 32
