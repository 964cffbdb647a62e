-- The lines of all invoices and credit notes of day $2 of site $1: an invoice's days since the last one are
-- added up by rule and price; a credit note's are its adjustments, in positive amounts.
WITH line AS (
    SELECT i.number, i.kind AS document, l.kind, l.rule, l.unit_price_micros, l.detail, l.adjustment_id,
           abs(sum(l.quantity))::bigint * CASE WHEN i.kind = 'invoice' AND min(l.quantity) < 0
                                               THEN -1 ELSE 1 END AS quantity
      FROM invoice i
      JOIN crawler_day now USING (site_id, local_date, crawler_id)
      JOIN crawler_day t ON t.site_id = i.site_id AND t.crawler_id = i.crawler_id
       AND t.close_number <= now.close_number
       AND t.close_number > CASE i.kind WHEN 'invoice' THEN coalesce((
               SELECT max(b.close_number) FROM crawler_day b
                WHERE b.site_id = i.site_id AND b.crawler_id = i.crawler_id AND b.invoiced_micros > 0
                  AND b.close_number < now.close_number), 0) ELSE now.close_number - 1 END
      JOIN crawler_day_line l ON l.site_id = t.site_id AND l.local_date = t.local_date
       AND l.crawler_id = t.crawler_id AND l.corrects IS NOT DISTINCT FROM i.corrects
       AND l.kind <> 'reissue'
     WHERE i.site_id = $1::bigint AND i.local_date = $2::date AND i.replaces IS NULL
     GROUP BY i.number, i.kind, l.kind, l.rule, l.unit_price_micros, l.detail, l.adjustment_id
)
INSERT INTO invoice_line (site_id, number, line, kind, description, quantity, unit_price_micros,
                          amount_micros, adjustment_id)
SELECT $1::bigint, line.number,
       row_number() OVER (PARTITION BY line.number
           ORDER BY array_position(ARRAY['crawls', 'included', 'subscription', 'tier', 'fee', 'minimum'],
                                   line.kind),
                    line.rule COLLATE "C", line.unit_price_micros, line.detail COLLATE "C"),
       line.kind,
       CASE line.kind
           WHEN 'crawls' THEN line.rule
           WHEN 'included' THEN line.rule || ', included'
           WHEN 'subscription' THEN line.rule || ', covered by the subscription'
           WHEN 'tier' THEN line.rule || ', ' || line.detail
           WHEN 'fee' THEN 'Fee' || CASE WHEN line.detail = '' THEN '' ELSE ', ' || line.detail END
           WHEN 'minimum' THEN 'Up to the minimum fee ' || line.detail
           WHEN 'void' THEN 'Cancellation: ' || a.reason
           ELSE upper(left(line.kind, 1)) || substr(line.kind, 2) || ' of payment ' || a.payment_id
               || ': ' || a.reason END,
       line.quantity, line.unit_price_micros, line.quantity * line.unit_price_micros, line.adjustment_id
  FROM line LEFT JOIN adjustment a USING (adjustment_id)
