-- Money received for invoices, by the billing day on which it was recorded, from $1 to before $2: of site $3,
-- of crawler $4, for invoice $6. Any of these may be NULL; $5 is nothing here.
-- columns: payment text, recorded_at timestamptz, site text, agent text, invoice text, reference text,
--   received_on text, amount bigint, currency text, amount_micros bigint, actor text, billing_day text
DECLARE stream NO SCROLL CURSOR FOR
SELECT s.name || '/' || p.number || '/' || p.reference AS payment, p.recorded_at, s.name AS site, i.agent,
       p.number AS invoice, p.reference, p.received_on::text AS received_on,
       p.amount_minor * minor_micros(i.currency_decimals) AS amount, i.currency,
       p.amount_minor * minor_micros(i.currency_decimals) AS amount_micros, p.actor,
       d.local_date::text AS billing_day
  FROM invoice_payment p JOIN invoice i USING (site_id, number) JOIN site s USING (site_id)
  LEFT JOIN day d ON d.site_id = p.site_id AND d.starts_at <= p.recorded_at AND d.ends_at > p.recorded_at
 WHERE ($1::date IS NULL OR d.local_date >= $1::date) AND ($2::date IS NULL OR d.local_date < $2::date)
   AND ($3::text IS NULL OR s.name = $3::text) AND ($4::text IS NULL OR i.agent = $4::text)
   AND $5::uuid[] IS NULL AND ($6::text IS NULL OR p.number = $6::text)
 ORDER BY s.name COLLATE "C", p.recorded_at, p.number COLLATE "C", p.reference COLLATE "C"
