-- The range of ids of the UTC days from $1 to before $2, and a file with some of their entries if any are
-- archived.
-- columns: first_id uuid, end_id uuid, archive text null
SELECT uuid_floor($1::date::timestamp AT TIME ZONE 'UTC') AS first_id,
       uuid_floor($2::date::timestamp AT TIME ZONE 'UTC') AS end_id,
       (SELECT file FROM archived WHERE utc_date >= $1::date AND utc_date < $2::date
         ORDER BY utc_date LIMIT 1) AS archive
