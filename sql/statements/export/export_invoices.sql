-- The lines of invoices and credit notes whose billing days, the last ones of their periods, are from $1 to
-- before $2: of site $3, of crawler $4, of number $6. Any of these may be NULL; $5 is nothing here. What
-- changes with time, such as what is still open, is not among the columns.
-- columns: line_id text, site text, invoice text, invoice_line bigint, kind text, corrects text,
--   replaces text, agent text, first_date text, billing_day text, issue_date text, due_date text,
--   description text, quantity bigint, unit_price_micros bigint, amount bigint, currency text,
--   amount_micros bigint, line_kind text, adjustment_id uuid, invoice_entries bigint, invoice_net text,
--   invoice_tax text, invoice_total text, tax_treatment text
DECLARE stream NO SCROLL CURSOR FOR
SELECT i.site_name || '/' || i.number || '/' || l.line AS line_id, i.site_name AS site, i.number AS invoice,
       l.line::bigint AS invoice_line, i.kind, i.corrects, i.replaces, i.agent,
       i.first_date::text AS first_date, i.local_date::text AS billing_day, i.issue_date::text AS issue_date,
       i.due_date::text AS due_date, l.description, l.quantity, l.unit_price_micros,
       l.amount_micros AS amount, i.currency, l.amount_micros, l.kind AS line_kind, l.adjustment_id,
       i.entries AS invoice_entries, minor_text(i.net_minor, i.currency_decimals) AS invoice_net,
       minor_text(i.tax_minor, i.currency_decimals) AS invoice_tax,
       minor_text(i.total_minor, i.currency_decimals) AS invoice_total, i.tax_treatment
  FROM invoice i JOIN invoice_line l USING (site_id, number) JOIN site s USING (site_id)
 WHERE ($1::date IS NULL OR i.local_date >= $1::date) AND ($2::date IS NULL OR i.local_date < $2::date)
   AND ($3::text IS NULL OR s.name = $3::text) AND ($4::text IS NULL OR i.agent = $4::text)
   AND $5::uuid[] IS NULL AND ($6::text IS NULL OR i.number = $6::text)
 ORDER BY s.name COLLATE "C", i.series COLLATE "C", i.sequence, l.line
