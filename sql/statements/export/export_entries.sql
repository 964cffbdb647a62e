-- The entries of site $1 on its day $2, with ids from $3 to before $4, in the order of their ids: of crawler
-- $5, those of ids $6, those on invoice $7; any of these may be NULL. Of an invoice that was made in place of
-- another one the latter's crawls are its own.
-- columns: payment_id uuid, recorded_at timestamptz, site text, agent text, thumbprint bytea, resource text,
--   rule text, amount bigint, currency text, amount_micros bigint, signature bytea, signature_base bytea,
--   agreement_version bigint, billing_day text, invoice text, invoice_line bigint, public_key text,
--   unproven text
DECLARE stream NO SCROLL CURSOR FOR
WITH placed AS MATERIALIZED (
    SELECT t.crawler_id, billing_invoice($1::bigint, t.crawler_id, $3::uuid, 9223372036854775807) AS number
      FROM crawler_day t WHERE t.site_id = $1::bigint AND t.local_date = $2::date
), line AS MATERIALIZED (
    SELECT p.crawler_id, p.number, l.description AS rule, l.unit_price_micros, min(l.line)::bigint AS line
      FROM placed p JOIN invoice_line l ON l.site_id = $1::bigint AND l.number = p.number
     WHERE l.kind = 'crawls' GROUP BY p.crawler_id, p.number, l.description, l.unit_price_micros
), asked AS MATERIALIZED (
    SELECT i.crawler_id FROM invoice i
     WHERE i.site_id = $1::bigint AND i.number = $7::text AND i.kind = 'invoice'
)
SELECT c.payment_id, c.recorded_at, s.name AS site, k.agent, c.thumbprint, c.resource, c.rule,
       c.amount_micros AS amount, s.currency, c.amount_micros, c.signature, c.signature_base,
       coalesce(a.version, 0)::bigint AS agreement_version, $2::date::text AS billing_day,
       CASE WHEN u.payment_id IS NULL THEN l.number END AS invoice,
       CASE WHEN u.payment_id IS NULL THEN l.line END AS invoice_line, y.public_key, u.reason AS unproven
  FROM charge c JOIN site s USING (site_id) JOIN crawler k USING (crawler_id)
  LEFT JOIN crawler_key y USING (crawler_id, thumbprint)
  LEFT JOIN agreement a ON a.agreement_id = c.agreement_id
  LEFT JOIN unproven u ON u.payment_id = c.payment_id
  LEFT JOIN line l ON l.crawler_id = c.crawler_id AND l.rule = c.rule
       AND l.unit_price_micros = c.amount_micros
 WHERE c.site_id = $1::bigint AND c.payment_id >= $3::uuid AND c.payment_id < $4::uuid
   AND ($5::text IS NULL OR k.agent = $5::text)
   AND ($6::uuid[] IS NULL OR c.payment_id = ANY ($6::uuid[]))
   AND ($7::text IS NULL OR (c.crawler_id IN (SELECT q.crawler_id FROM asked q) AND u.payment_id IS NULL))
 ORDER BY c.payment_id
