-- columns: site text, agent text, thumbprint bytea, amount_micros bigint, currency text, rule text,
--   resource text, recorded_ms bigint, signature bytea, signature_base bytea,
--   agreement_version integer null
SELECT s.name AS site, k.agent, c.thumbprint, c.amount_micros, s.currency, c.rule, c.resource,
       instant_ms(c.recorded_at) AS recorded_ms, c.signature, c.signature_base, a.version AS agreement_version
  FROM conflict c JOIN site s USING (site_id) JOIN crawler k USING (crawler_id)
  LEFT JOIN agreement a USING (agreement_id)
 WHERE c.payment_id = $1::uuid ORDER BY c.recorded_at, c.evidence
