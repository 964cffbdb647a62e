-- Versions are only ever added, so that a new number says that there is something new. (A highest number
-- would not: transactions do not commit in the order of their numbers.)
-- columns: agreements bigint
SELECT count(*) AS agreements FROM agreement
