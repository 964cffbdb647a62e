-- Drops the counts of the months before that of date $1; of how many months there were any.
-- columns: months integer
SELECT forget_traffic($1::date) AS months
