-- Makes the partitions for an interim checkpoint that begins at id $1, where no gate has: one that nobody
-- pays at lists facts all the same.
SELECT charge_partitions(d.at, d.at) FROM (SELECT (uuid_instant($1::uuid) AT TIME ZONE 'UTC')::date) AS d (at)
