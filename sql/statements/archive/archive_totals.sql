-- The entries of UTC day $1, before they are written to a file.
SELECT uuid_floor($1::date::timestamp AT TIME ZONE 'UTC'),
       uuid_floor(($1::date + 1)::timestamp AT TIME ZONE 'UTC'), count(*),
       coalesce(sum(amount_micros), 0)::bigint, charge_partition_attached($1::date)
  FROM charge
 WHERE payment_id >= uuid_floor($1::date::timestamp AT TIME ZONE 'UTC')
   AND payment_id < uuid_floor(($1::date + 1)::timestamp AT TIME ZONE 'UTC')
