SELECT s.name, k.agent, c.thumbprint, c.amount_micros, s.currency, c.rule, c.resource,
       instant_ms(c.recorded_at), c.signature, c.signature_base, a.version
  FROM conflict c JOIN site s USING (site_id) JOIN crawler k USING (crawler_id)
  LEFT JOIN agreement a USING (agreement_id)
 WHERE c.payment_id = $1::uuid ORDER BY c.recorded_at, c.evidence
