-- How many batches of rail $1 were made on the day (UTC) of $2, for whatever site.
-- columns: files bigint
SELECT count(*) AS files FROM settlement_batch
 WHERE rail = $1::text
   AND (made_at AT TIME ZONE 'UTC')::date = (instant($2::bigint) AT TIME ZONE 'UTC')::date
