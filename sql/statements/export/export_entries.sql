-- The entries of site $1 on its day $2, with ids from $3 to before $4, in the order of their ids: of crawler
-- $5, those of ids $6, those on invoice $7; any of these may be NULL. Of an invoice that was made in place of
-- another one the latter's crawls are its own. Where they are billed is looked up for each crawler, rule and
-- price and then remembered, which keeps the order: a hash join would sort all entries after it, on disk.
-- columns: payment_id uuid, recorded_at timestamptz, site text, agent text, thumbprint bytea, resource text,
--   rule text, amount bigint, currency text, amount_micros bigint, signature bytea, signature_base bytea,
--   agreement_version bigint, billing_day text, invoice text, invoice_line bigint, public_key text,
--   unproven text, delivered text, status bigint, sent_bytes bigint, body_digest bytea
DECLARE stream NO SCROLL CURSOR FOR
SELECT c.payment_id, c.recorded_at, s.name AS site, k.agent, c.thumbprint, c.resource, c.rule,
       c.amount_micros AS amount, s.currency, c.amount_micros, c.signature, c.signature_base,
       coalesce(a.version, 0)::bigint AS agreement_version, $2::date::text AS billing_day,
       CASE WHEN u.payment_id IS NULL THEN p.number END AS invoice,
       CASE WHEN u.payment_id IS NULL THEN l.line END AS invoice_line, y.public_key, u.reason AS unproven,
       v.ended AS delivered, v.status::bigint AS status, v.sent_bytes, v.body_digest
  FROM charge_range($3::uuid, $4::uuid) c
  JOIN site s ON s.site_id = $1::bigint JOIN crawler k USING (crawler_id)
  LEFT JOIN crawler_key y USING (crawler_id, thumbprint)
  LEFT JOIN agreement a ON a.agreement_id = c.agreement_id
  LEFT JOIN unproven u ON u.payment_id = c.payment_id
  LEFT JOIN delivery v ON v.payment_id = c.payment_id AND NOT v.repeated
   AND v.payment_id >= $3::uuid AND v.payment_id < $4::uuid
  LEFT JOIN LATERAL (
       SELECT billing_invoice($1::bigint, c.crawler_id, $3::uuid, 9223372036854775807) AS number
       OFFSET 0) AS p ON true
  LEFT JOIN LATERAL (
       SELECT min(n.line)::bigint AS line FROM invoice_line n
        WHERE n.site_id = $1::bigint AND n.number = p.number AND n.kind = 'crawls'
          AND n.description = c.rule AND n.unit_price_micros = c.amount_micros) AS l ON true
 WHERE c.site_id = $1::bigint
   AND ($5::text IS NULL OR k.agent = $5::text)
   AND ($6::uuid[] IS NULL OR c.payment_id = ANY ($6::uuid[]))
   AND ($7::text IS NULL OR (u.payment_id IS NULL AND c.crawler_id IN (
           SELECT i.crawler_id FROM invoice i
            WHERE i.site_id = $1::bigint AND i.number = $7::text AND i.kind = 'invoice')))
 ORDER BY c.payment_id
