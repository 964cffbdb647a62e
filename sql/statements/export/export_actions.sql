-- Operators' deeds from day $1 to before $2, in UTC, since they are of no site. Any of these may be NULL; the
-- others, to $6, are nothing here.
-- columns: action_id bigint, happened_at timestamptz, actor text, action text, detail text, billing_day text
DECLARE stream NO SCROLL CURSOR FOR
SELECT o.action_id, o.happened_at, o.actor, o.action, o.detail,
       (o.happened_at AT TIME ZONE 'UTC')::date::text AS billing_day
  FROM operator_action o
 WHERE ($1::date IS NULL OR o.happened_at >= $1::date::timestamp AT TIME ZONE 'UTC')
   AND ($2::date IS NULL OR o.happened_at < $2::date::timestamp AT TIME ZONE 'UTC')
   AND $3::text IS NULL AND $4::text IS NULL AND $5::uuid[] IS NULL AND $6::text IS NULL
 ORDER BY o.action_id
