-- The hours ($5: hour) or days (day) of the days $1 to $2, which are from instant $3 until before $4, in time
-- zone $6, as they are written below a chart.
-- columns: label text
SELECT to_char(at AT TIME ZONE $6::text,
               CASE WHEN $1::date = $2::date THEN 'HH24:MI' ELSE 'YYYY-MM-DD HH24:MI' END) AS label
  FROM generate_series(instant($3::bigint), instant($4::bigint - 1), interval '1 hour') AS at
 WHERE $5::text = 'hour'
UNION ALL
SELECT to_char(at, 'YYYY-MM-DD')
  FROM generate_series($1::date::timestamp, $2::date::timestamp, interval '1 day') AS at
 WHERE $5::text = 'day'
