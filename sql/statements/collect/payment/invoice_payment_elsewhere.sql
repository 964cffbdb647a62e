-- The site beside $1 that has booked the movement with identity $3 on its own invoice of number $2.
-- columns: name text
SELECT s.name FROM site s JOIN invoice_payment p USING (site_id)
 WHERE s.site_id <> $1::bigint AND p.number = $2::text AND p.identity = $3::text
 ORDER BY s.site_id LIMIT 1
