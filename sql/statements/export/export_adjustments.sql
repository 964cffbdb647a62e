-- Adjustments of billing days from $1 to before $2: of site $3, of crawler $4, of payments $5, of or on
-- invoice or credit note $6. Any of these may be NULL.
-- columns: adjustment_id uuid, recorded_at timestamptz, site text, agent text, kind text, payment_id uuid,
--   corrects text, amount bigint, currency text, amount_micros bigint, reason text, actor text,
--   billing_day text, invoice text, invoice_line bigint
DECLARE stream NO SCROLL CURSOR FOR
SELECT a.adjustment_id, a.recorded_at, s.name AS site, k.agent, a.kind, a.payment_id, a.number AS corrects,
       a.amount_micros AS amount, s.currency, a.amount_micros, a.reason, a.actor,
       d.local_date::text AS billing_day, l.number AS invoice, l.line::bigint AS invoice_line
  FROM adjustment a JOIN site s USING (site_id) JOIN crawler k USING (crawler_id)
  LEFT JOIN day d ON d.site_id = a.site_id AND d.starts_at <= uuid_instant(a.adjustment_id)
   AND d.ends_at > uuid_instant(a.adjustment_id)
  LEFT JOIN (SELECT DISTINCT ON (n.site_id, n.adjustment_id) n.site_id, n.adjustment_id, n.number, n.line
               FROM invoice_line n WHERE n.adjustment_id IS NOT NULL
              ORDER BY n.site_id, n.adjustment_id, n.number, n.line) AS l
    ON l.site_id = a.site_id AND l.adjustment_id = a.adjustment_id
 WHERE ($1::date IS NULL OR d.local_date >= $1::date) AND ($2::date IS NULL OR d.local_date < $2::date)
   AND ($3::text IS NULL OR s.name = $3::text) AND ($4::text IS NULL OR k.agent = $4::text)
   AND ($5::uuid[] IS NULL OR a.payment_id = ANY ($5::uuid[]))
   AND ($6::text IS NULL OR $6::text IN (a.number, l.number))
 ORDER BY s.name COLLATE "C", a.adjustment_id
