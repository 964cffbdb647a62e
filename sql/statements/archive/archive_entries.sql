-- The same as lines, for pg_stream: every column of the entry, the names that its numbers stand for, and what
-- was recorded of its delivery.
-- columns: line text
DECLARE stream NO SCROLL CURSOR FOR
SELECT (jsonb_strip_nulls(to_jsonb(c)) || jsonb_build_object('site', s.name, 'agent', k.agent)
        || jsonb_strip_nulls(jsonb_build_object('deliveries', (
               SELECT jsonb_agg(jsonb_strip_nulls(to_jsonb(d)) ORDER BY d.repeated)
                 FROM delivery d WHERE d.payment_id = c.payment_id
                  AND d.payment_id >= uuid_floor($1::date::timestamp AT TIME ZONE 'UTC')
                  AND d.payment_id < uuid_floor(($1::date + 1)::timestamp AT TIME ZONE 'UTC')))))::text
           AS line
  FROM charge_range(uuid_floor($1::date::timestamp AT TIME ZONE 'UTC'),
                    uuid_floor(($1::date + 1)::timestamp AT TIME ZONE 'UTC')) c
  JOIN site s USING (site_id) JOIN crawler k USING (crawler_id)
 ORDER BY c.payment_id
