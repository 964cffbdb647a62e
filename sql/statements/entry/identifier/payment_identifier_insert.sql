-- Binds claims $1 of payers' identifiers to payments $2 with payloads $3, unless they are bound, or those of
-- the same identifiers on the days before and after ($4, $5) are. Not of payments that are entries already:
-- who sends one again and again under new names fills nothing. In one order, so that two writers cannot
-- deadlock.
INSERT INTO payment_identifier (claim, payment_id, payload)
SELECT e.claim, e.payment_id, e.payload
  FROM unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::uuid[], $5::uuid[])
       AS e (claim, payment_id, payload, before, after)
 WHERE NOT EXISTS (SELECT FROM charge_of(e.payment_id))
   AND NOT EXISTS (SELECT FROM identifier_of(e.before))
   AND NOT EXISTS (SELECT FROM identifier_of(e.after))
 ORDER BY e.claim
ON CONFLICT DO NOTHING
