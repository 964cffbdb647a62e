-- The first UTC day from that of clock $1 to two days later that has no partition for its entries.
-- columns: today date, missing date null
SELECT today, (SELECT min(today + ahead) FROM generate_series(0, 2) AS ahead
                WHERE to_regclass('public.' || charge_partition(today + ahead)) IS NULL) AS missing
  FROM (SELECT (instant($1::bigint) AT TIME ZONE 'UTC')::date AS today) AS clock
