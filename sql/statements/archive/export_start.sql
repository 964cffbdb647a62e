-- The range of ids of the UTC days from $1 to before $2, and a file with some of their entries if any are
-- archived.
SELECT uuid_floor($1::date::timestamp AT TIME ZONE 'UTC'),
       uuid_floor($2::date::timestamp AT TIME ZONE 'UTC'),
       (SELECT file FROM archived WHERE utc_date >= $1::date AND utc_date < $2::date
         ORDER BY utc_date LIMIT 1)
