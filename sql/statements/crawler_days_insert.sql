-- Totals per crawler of day $2, the $3rd that site $1 closes. What is due = carried in + the day; it is
-- rounded down to the minor unit, and the rest is carried forward. Less than one minor unit is carried as
-- a whole.
WITH total AS (
    SELECT crawler_id, sum(quantity)::bigint AS entries, sum(amount_micros)::bigint AS sum_micros
      FROM crawler_day_line WHERE site_id = $1::bigint AND local_date = $2::date GROUP BY crawler_id
), due AS (
    SELECT total.*, coalesce(before.carried_out_micros, 0) AS carried_in_micros,
           minor_micros(site.currency_decimals) AS minor
      FROM total JOIN site ON site.site_id = $1::bigint
      LEFT JOIN LATERAL (
          SELECT carried_out_micros FROM crawler_day
           WHERE site_id = $1::bigint AND crawler_id = total.crawler_id ORDER BY close_number DESC LIMIT 1
      ) AS before ON true
), rounded AS (
    SELECT due.*, (carried_in_micros + sum_micros) % minor AS rest FROM due
)
INSERT INTO crawler_day (site_id, local_date, crawler_id, close_number, entries, sum_micros,
                         carried_in_micros, invoiced_micros, carried_out_micros)
SELECT $1::bigint, $2::date, crawler_id, $3::bigint, entries, sum_micros, carried_in_micros,
       carried_in_micros + sum_micros - rest, rest
  FROM rounded
