-- What site $1 bills without an agreement, when it is not what it bills already: a new version, in force from
-- the oldest day that is not closed yet, or from now, $2. $3 is the actor, $4 whether everything is held.
WITH given AS (
    SELECT $4::boolean AS hold, $5::text AS cadence, $6::bigint AS minimum_invoice_micros,
           $7::integer AS due_days, $8::text AS tax_treatment, $9::integer AS tax_rate_ppm
), newest AS (
    SELECT version, hold, cadence, minimum_invoice_micros, due_days, tax_treatment, tax_rate_ppm
      FROM site_terms WHERE site_id = $1::bigint
    UNION ALL
    SELECT 0, false, 'daily', 0, 30, 'none', 0
     ORDER BY version DESC LIMIT 1
)
INSERT INTO site_terms (site_id, version, valid_from, recorded_at, actor, hold, cadence,
                        minimum_invoice_micros, due_days, tax_treatment, tax_rate_ppm)
SELECT $1::bigint, n.version + 1, coalesce((
           SELECT min(d.starts_at) FROM day d
            WHERE d.site_id = $1::bigint
              AND NOT EXISTS (SELECT FROM day_close c
                               WHERE c.site_id = d.site_id AND c.local_date = d.local_date)),
           instant($2::bigint)),
       instant($2::bigint), $3::text || ' as ' || session_user, g.hold, g.cadence, g.minimum_invoice_micros,
       g.due_days, g.tax_treatment, g.tax_rate_ppm
  FROM given g, newest n
 WHERE (g.hold, g.cadence, g.minimum_invoice_micros, g.due_days, g.tax_treatment, g.tax_rate_ppm)
       IS DISTINCT FROM
       (n.hold, n.cadence, n.minimum_invoice_micros, n.due_days, n.tax_treatment, n.tax_rate_ppm)
ON CONFLICT DO NOTHING
