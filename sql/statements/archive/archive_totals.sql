-- The entries of UTC day $1, before they are written to a file.
-- columns: first_id uuid, end_id uuid, entries bigint, sum_micros bigint, attached boolean
SELECT uuid_floor($1::date::timestamp AT TIME ZONE 'UTC') AS first_id,
       uuid_floor(($1::date + 1)::timestamp AT TIME ZONE 'UTC') AS end_id, count(*) AS entries,
       coalesce(sum(amount_micros), 0)::bigint AS sum_micros, charge_partition_attached($1::date) AS attached
  FROM charge
 WHERE payment_id >= uuid_floor($1::date::timestamp AT TIME ZONE 'UTC')
   AND payment_id < uuid_floor(($1::date + 1)::timestamp AT TIME ZONE 'UTC')
