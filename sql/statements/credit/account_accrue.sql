-- Accrues what was spent on the oldest days that were over at $1 and are not closed; how many days. 0: all
-- are.
-- columns: days integer
SELECT accrue_days($1::bigint) AS days
