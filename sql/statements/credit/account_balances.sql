-- For each site where its open days begin, and what each crawler owes from its closed ones: what the last of
-- them carried forward, and invoices less credit notes and payments. In one statement, so that a day is
-- either closed in both or in none. What else is ever paid or forgiven is taken off here and nowhere else.
-- columns: site text, open_ms bigint, agent text null, owed_micros bigint
WITH owed AS (
    SELECT last.site_id, last.crawler_id, last.carried_out_micros AS micros
      FROM site s CROSS JOIN crawler k
     CROSS JOIN LATERAL (SELECT site_id, crawler_id, carried_out_micros FROM crawler_day c
                          WHERE c.site_id = s.site_id AND c.crawler_id = k.crawler_id
                          ORDER BY close_number DESC LIMIT 1) AS last
    UNION ALL
    SELECT site_id, crawler_id,
           sum(CASE kind WHEN 'invoice' THEN total_minor ELSE -total_minor END
               * minor_micros(currency_decimals))
      FROM invoice GROUP BY site_id, crawler_id
    UNION ALL
    SELECT i.site_id, i.crawler_id, -sum(p.amount_minor * minor_micros(i.currency_decimals))
      FROM invoice_payment p JOIN invoice i USING (site_id, number) GROUP BY i.site_id, i.crawler_id
), open AS (
    SELECT s.site_id, s.name,
           coalesce((SELECT instant_ms(d.ends_at) FROM day_close c JOIN day d USING (site_id, local_date)
                      WHERE c.site_id = s.site_id ORDER BY c.close_number DESC LIMIT 1), 0) AS open_ms
      FROM site s
)
SELECT o.name AS site, o.open_ms, k.agent, coalesce(sum(d.micros), 0)::bigint AS owed_micros
  FROM open o LEFT JOIN owed d USING (site_id) LEFT JOIN crawler k USING (crawler_id)
 GROUP BY o.name, o.open_ms, k.agent
