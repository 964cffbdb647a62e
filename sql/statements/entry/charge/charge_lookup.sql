-- One entry with all that a dispute needs. Its invoice is that of its day or, if the day left less than
-- one minor unit, the next one of the crawler, into which it was carried; or what was made in its place.
-- invoiced_to: the last day of that one's period. unproven: why it is not billed. judged: unless its day was
-- closed without a look at its entries. repeats: the payment because of which this one costs nothing.
-- columns: payment_id uuid, site text, network text, currency text, amount_micros bigint, rule text,
--   resource text, agent text, thumbprint bytea, public_key text null, directory_url text null,
--   recorded_ms bigint, offered_ms bigint, signature bytea, signature_base bytea, local_date date null,
--   closed boolean, invoice text null, invoice_date date null, invoiced_to date null,
--   agreement_version integer null, site_id bigint, crawler_id bigint, unproven text null,
--   judged boolean, repeats uuid null
SELECT c.payment_id, s.name AS site, s.network, s.currency, c.amount_micros, c.rule, c.resource, k.agent,
       c.thumbprint, p.public_key, p.directory_url, instant_ms(c.recorded_at) AS recorded_ms,
       instant_ms(uuid_instant(c.payment_id)) AS offered_ms, c.signature, c.signature_base, d.local_date,
       t.close_number IS NOT NULL AS closed, i.number AS invoice, i.issue_date AS invoice_date,
       coalesce(i.crawls_date, i.local_date) AS invoiced_to, a.version AS agreement_version, c.site_id,
       c.crawler_id, u.reason AS unproven,
       x.local_date IS NULL OR x.unproven IS NOT NULL AS judged, w.repeats
  FROM charge_of($1::uuid) c
  JOIN site s USING (site_id)
  JOIN crawler k USING (crawler_id)
  LEFT JOIN agreement a ON a.agreement_id = c.agreement_id
  LEFT JOIN crawler_key p ON p.crawler_id = c.crawler_id AND p.thumbprint = c.thumbprint
  LEFT JOIN day d ON d.site_id = c.site_id AND d.starts_at <= uuid_instant(c.payment_id)
                 AND d.ends_at > uuid_instant(c.payment_id)
  LEFT JOIN crawler_day t ON t.site_id = c.site_id AND t.crawler_id = c.crawler_id
      AND t.local_date = d.local_date
  LEFT JOIN invoice i ON i.site_id = c.site_id
   AND i.number = billing_invoice(c.site_id, c.crawler_id, c.payment_id, 9223372036854775807)
  LEFT JOIN unproven u ON u.payment_id = c.payment_id
  LEFT JOIN day_close x ON x.site_id = d.site_id AND x.local_date = d.local_date
  LEFT JOIN LATERAL page_copy_of(c.payment_id) w ON w.crawler_id = c.crawler_id AND c.amount_micros = 0
