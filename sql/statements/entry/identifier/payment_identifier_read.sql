-- Which of claims $1, by their places in the array, are bound to other payments than $2 with payloads $3. In
-- that order.
-- columns: place bigint
SELECT e.place
  FROM unnest($1::uuid[], $2::uuid[], $3::bytea[]) WITH ORDINALITY AS e (claim, payment_id, payload, place)
 CROSS JOIN LATERAL identifier_of(e.claim) p
 WHERE p.payment_id <> e.payment_id OR p.payload <> e.payload
 ORDER BY e.place
