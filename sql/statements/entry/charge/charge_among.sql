-- Those of the ids $1 that are entries, a few of them: what a mistyped id may have meant.
-- columns of charge_meant: payment_id uuid, site text, currency text, amount_micros bigint, resource text,
--   recorded_ms bigint, signature_base bytea
SELECT c.payment_id, s.name AS site, s.currency, c.amount_micros, c.resource,
       instant_ms(c.recorded_at) AS recorded_ms, c.signature_base
  FROM charge c JOIN site s USING (site_id)
 WHERE c.payment_id = ANY ($1::uuid[]) ORDER BY c.payment_id LIMIT 8
