-- Lines of site $1's invoices and credit notes against the days' lines that they are made of.
-- columns of audit_finding: subject text, problem text
WITH account AS (
    SELECT t.crawler_id, t.local_date, t.close_number, coalesce((
               SELECT max(b.close_number) FROM crawler_day b
                WHERE b.site_id = t.site_id AND b.crawler_id = t.crawler_id AND b.invoiced_micros > 0
                  AND b.close_number < t.close_number), 0) AS last_close
      FROM crawler_day t WHERE t.site_id = $1::bigint
), due AS (
    SELECT i.number, l.kind, l.unit_price_micros, l.adjustment_id, abs(sum(l.amount_micros)) AS micros
      FROM invoice i
      JOIN account now USING (crawler_id, local_date)
      JOIN account t ON t.crawler_id = i.crawler_id AND t.close_number <= now.close_number
       AND t.close_number > CASE i.kind WHEN 'invoice' THEN now.last_close ELSE now.close_number - 1 END
      JOIN crawler_day_line l ON l.site_id = i.site_id AND l.local_date = t.local_date
       AND l.crawler_id = i.crawler_id AND l.corrects IS NOT DISTINCT FROM i.corrects
     WHERE i.site_id = $1::bigint AND i.replaces IS NULL
       AND (i.corrects IS NULL OR l.kind <> 'reissue')
     GROUP BY i.number, l.kind, l.unit_price_micros, l.adjustment_id
    UNION ALL
    -- What was made in place of another has its lines, and what credit notes took back of it.
    SELECT i.number, l.kind, l.unit_price_micros, l.adjustment_id, abs(sum(l.amount_micros))
      FROM invoice i JOIN invoice_line l ON l.site_id = i.site_id AND l.number = i.replaces
     WHERE i.site_id = $1::bigint GROUP BY i.number, l.kind, l.unit_price_micros, l.adjustment_id
    UNION ALL
    SELECT i.number, l.kind, l.unit_price_micros, l.adjustment_id, abs(l.amount_micros)
      FROM invoice i JOIN crawler_day_line l ON l.site_id = i.site_id AND l.corrects = i.replaces
     WHERE i.site_id = $1::bigint AND l.kind NOT IN ('void', 'reissue')
), stored AS (
    SELECT l.number, l.kind, l.unit_price_micros, l.adjustment_id, abs(sum(l.amount_micros)) AS micros
      FROM invoice_line l
     WHERE l.site_id = $1::bigint
     GROUP BY l.number, l.kind, l.unit_price_micros, l.adjustment_id
)
SELECT 'invoice_line ' || coalesce(d.number, s.number) || ' ' || coalesce(d.kind, s.kind) || ' at '
           || micros_text(coalesce(d.unit_price_micros, s.unit_price_micros)) AS subject,
       'comes to ' || coalesce(s.micros, 0) || ', its days to ' || coalesce(d.micros, 0) AS problem
  FROM due d FULL JOIN stored s ON s.number = d.number AND s.kind = d.kind
   AND s.unit_price_micros = d.unit_price_micros AND s.adjustment_id IS NOT DISTINCT FROM d.adjustment_id
 WHERE d.micros IS DISTINCT FROM s.micros
 ORDER BY 1 LIMIT 20
