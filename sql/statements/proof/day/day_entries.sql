-- The entries of site $1 with ids from $2 to before $3 in the order of their ids, and why one is not billed,
-- for pg_stream.
-- columns: payment_id uuid, crawler_id bigint, amount_micros bigint, recorded_ms timestamptz,
--   thumbprint bytea, rule text, resource text, signature bytea, signature_base bytea,
--   agreement_id bigint, unproven text
DECLARE stream NO SCROLL CURSOR FOR
SELECT c.payment_id, c.crawler_id, c.amount_micros, c.recorded_at AS recorded_ms, c.thumbprint, c.rule,
       c.resource, c.signature, c.signature_base, c.agreement_id, u.reason AS unproven
  FROM charge c LEFT JOIN unproven u ON u.payment_id = c.payment_id
 WHERE c.site_id = $1::bigint AND c.payment_id >= $2::uuid AND c.payment_id < $3::uuid
 ORDER BY c.payment_id
