-- Commitments for payment ids that were used before, which nobody is charged for, by the billing days of the
-- ids, from $1 to before $2: of site $3, of crawler $4, of ids $5. Any of these may be NULL; $6 is nothing
-- here.
-- columns: attempt text, payment_id uuid, recorded_at timestamptz, site text, agent text, thumbprint bytea,
--   resource text, rule text, amount bigint, currency text, amount_micros bigint, signature bytea,
--   signature_base bytea, agreement_version bigint, billing_day text, public_key text
DECLARE stream NO SCROLL CURSOR FOR
SELECT c.payment_id || '/' || encode(substr(c.evidence, 1, 8), 'hex') AS attempt, c.payment_id, c.recorded_at,
       s.name AS site, k.agent, c.thumbprint, c.resource, c.rule, c.amount_micros AS amount, s.currency,
       c.amount_micros, c.signature, c.signature_base, coalesce(a.version, 0)::bigint AS agreement_version,
       d.local_date::text AS billing_day, y.public_key
  FROM conflict c JOIN site s USING (site_id) JOIN crawler k USING (crawler_id)
  LEFT JOIN crawler_key y USING (crawler_id, thumbprint)
  LEFT JOIN agreement a ON a.agreement_id = c.agreement_id
  LEFT JOIN day d ON d.site_id = c.site_id AND d.starts_at <= uuid_instant(c.payment_id)
   AND d.ends_at > uuid_instant(c.payment_id)
 WHERE ($1::date IS NULL OR d.local_date >= $1::date) AND ($2::date IS NULL OR d.local_date < $2::date)
   AND ($3::text IS NULL OR s.name = $3::text) AND ($4::text IS NULL OR k.agent = $4::text)
   AND ($5::uuid[] IS NULL OR c.payment_id = ANY ($5::uuid[])) AND $6::text IS NULL
 ORDER BY s.name COLLATE "C", c.payment_id, c.evidence
