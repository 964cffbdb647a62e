-- The days of site $1 that have a checkpoint, oldest first; only day $2 unless it is NULL. And whether some
-- of a day's entries are archived: they cannot be read again then.
-- columns: local_date date, archived boolean
SELECT c.local_date,
       EXISTS (SELECT FROM day d
                 JOIN archived a ON d.starts_at < (a.utc_date + 1)::timestamp AT TIME ZONE 'UTC'
                                AND d.ends_at > a.utc_date::timestamp AT TIME ZONE 'UTC'
                WHERE d.site_id = c.site_id AND d.local_date = c.local_date) AS archived
  FROM checkpoint c
 WHERE c.site_id = $1::bigint AND ($2::date IS NULL OR c.local_date = $2::date) ORDER BY c.log_size
