-- The next page in id order: entries of ids from $1 (or after it, when $2) to before $3, of site $4 or all.
-- columns: payment_id uuid, recorded_ms bigint, site text, agent text, thumbprint bytea, resource text,
--   rule text, amount_micros bigint, currency text, signature bytea, signature_base bytea,
--   agreement_version integer
SELECT c.payment_id, instant_ms(c.recorded_at) AS recorded_ms, s.name AS site, k.agent, c.thumbprint,
       c.resource, c.rule, c.amount_micros, s.currency, c.signature, c.signature_base,
       coalesce(a.version, 0) AS agreement_version
  FROM charge c JOIN site s USING (site_id) JOIN crawler k USING (crawler_id)
  LEFT JOIN agreement a USING (agreement_id)
 WHERE c.payment_id >= $1::uuid AND (NOT $2::boolean OR c.payment_id > $1::uuid) AND c.payment_id < $3::uuid
   AND ($4::text IS NULL OR s.name = $4::text)
 ORDER BY c.payment_id LIMIT 10000
