-- The other side of the evidence. The same attempt again adds nothing.
INSERT INTO conflict (payment_id, evidence, site_id, crawler_id, amount_micros, rule, resource, recorded_at,
                      thumbprint, signature, signature_base, agreement_id)
SELECT e.payment_id, sha256(e.signature || e.signature_base), e.site_id, e.crawler_id, e.amount_micros,
       e.rule, e.resource, instant($1::bigint), e.thumbprint, e.signature, e.signature_base,
       nullif(e.agreement_id, 0)
  FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::bytea[],
              $9::bytea[], $10::bytea[], $11::bigint[])
       AS e (payment_id, site_id, crawler_id, amount_micros, rule, resource, thumbprint, signature,
           signature_base, agreement_id)
ON CONFLICT DO NOTHING
