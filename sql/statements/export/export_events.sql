-- What happened to invoices and credit notes, by the billing day in which it did, from $1 to before $2: of
-- site $3, of crawler $4, to invoice $6. Any of these may be NULL; $5 is nothing here.
-- columns: event_id text, happened_at timestamptz, site text, agent text, invoice text, event text,
--   actor text, detail text, billing_day text
DECLARE stream NO SCROLL CURSOR FOR
SELECT s.name || '/' || e.number || '/' || e.step AS event_id, e.happened_at, s.name AS site, i.agent,
       e.number AS invoice, e.event, e.actor, e.detail, d.local_date::text AS billing_day
  FROM invoice_event e JOIN invoice i USING (site_id, number) JOIN site s USING (site_id)
  LEFT JOIN day d ON d.site_id = e.site_id AND d.starts_at <= e.happened_at AND d.ends_at > e.happened_at
 WHERE ($1::date IS NULL OR d.local_date >= $1::date) AND ($2::date IS NULL OR d.local_date < $2::date)
   AND ($3::text IS NULL OR s.name = $3::text) AND ($4::text IS NULL OR i.agent = $4::text)
   AND $5::uuid[] IS NULL AND ($6::text IS NULL OR e.number = $6::text)
 ORDER BY s.name COLLATE "C", e.happened_at, e.number COLLATE "C", e.step
