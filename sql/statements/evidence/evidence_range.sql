-- The ids of day $2 of site $1, from the first one to before the other, and how many entries it has.
-- columns: first_id uuid, end_id uuid, entries bigint
SELECT b.first_id, b.end_id,
       (SELECT count(*) FROM charge_range(b.first_id, b.end_id) c WHERE c.site_id = $1::bigint) AS entries
  FROM billing_day($1::bigint, $2::date) b
