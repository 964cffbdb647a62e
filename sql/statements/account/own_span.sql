-- The ids from before which to those of after the billing days from $2 to $3 (NULL: the first, the last) of
-- site $1; NULL where there is no such day.
-- columns: first_id uuid null, end_id uuid null
SELECT (SELECT uuid_floor(d.starts_at) FROM day d
         WHERE d.site_id = $1::bigint AND ($2::date IS NULL OR d.local_date >= $2::date)
         ORDER BY d.local_date LIMIT 1) AS first_id,
       (SELECT uuid_floor(d.ends_at) FROM day d
         WHERE d.site_id = $1::bigint AND ($3::date IS NULL OR d.local_date <= $3::date)
         ORDER BY d.local_date DESC LIMIT 1) AS end_id
