-- The same as lines, for pg_stream: every column of the entry, and the names that its numbers stand for.
-- columns: line text
DECLARE stream NO SCROLL CURSOR FOR
SELECT (jsonb_strip_nulls(to_jsonb(c)) || jsonb_build_object('site', s.name, 'agent', k.agent))::text AS line
  FROM charge c JOIN site s USING (site_id) JOIN crawler k USING (crawler_id)
 WHERE c.payment_id >= uuid_floor($1::date::timestamp AT TIME ZONE 'UTC')
   AND c.payment_id < uuid_floor(($1::date + 1)::timestamp AT TIME ZONE 'UTC')
 ORDER BY c.payment_id
