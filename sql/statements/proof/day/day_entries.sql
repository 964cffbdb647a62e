-- The entries of site $1 with ids from $2 to before $3 in the order of their ids, for pg_stream.
-- columns: payment_id uuid, crawler_id bigint, amount_micros bigint, recorded_ms timestamptz,
--   thumbprint bytea, rule text, resource text, signature bytea, signature_base bytea,
--   agreement_id bigint
DECLARE stream NO SCROLL CURSOR FOR
SELECT payment_id, crawler_id, amount_micros, recorded_at AS recorded_ms, thumbprint, rule, resource,
       signature, signature_base, agreement_id
  FROM charge
 WHERE site_id = $1::bigint AND payment_id >= $2::uuid AND payment_id < $3::uuid
 ORDER BY payment_id
