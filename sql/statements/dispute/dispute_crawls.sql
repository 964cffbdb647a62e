-- The next page of the crawls that dispute $1 is about, whose ids come after $2, and that are not upheld yet:
-- its payments, and those of its lines. lost: it was told so, or the gate has recorded that the site's own
-- server broke off, and no whole answer after that. repeats: the newest payment before it for the same copy
-- of the same page that was delivered, and how long before.
-- columns: payment_id uuid, amount_micros bigint, resource text, rule text, thumbprint bytea,
--   signature bytea, signature_base bytea, recorded_ms bigint, lost boolean, lost_status integer,
--   lost_by text, repeats uuid null, repeats_ms bigint
WITH subject AS (
    SELECT d.site_id, d.crawler_id, s.payment_id, s.number, s.line
      FROM dispute d JOIN dispute_subject s USING (dispute_id) WHERE d.dispute_id = $1::uuid
), part AS (
    -- The days of the lines' invoices, as invoice_entry_days has them.
    SELECT u.site_id, u.crawler_id, l.description AS rule, l.unit_price_micros AS price,
           uuid_floor(d.starts_at) AS first_id, uuid_floor(d.ends_at) AS end_id
      FROM subject u
      JOIN invoice i ON i.site_id = u.site_id AND i.number = u.number
      JOIN invoice_line l ON l.site_id = u.site_id AND l.number = u.number AND l.line = u.line
      JOIN crawler_day now ON now.site_id = i.site_id AND now.crawler_id = i.crawler_id
       AND now.local_date = coalesce(i.crawls_date, i.local_date)
      JOIN crawler_day t ON t.site_id = i.site_id AND t.crawler_id = i.crawler_id AND t.entries > 0
       AND t.close_number <= now.close_number AND t.close_number > coalesce((
               SELECT max(b.close_number) FROM crawler_day b
                WHERE b.site_id = i.site_id AND b.crawler_id = i.crawler_id AND b.invoiced_micros > 0
                  AND b.close_number < now.close_number), 0)
      JOIN day d ON d.site_id = t.site_id AND d.local_date = t.local_date
), found AS (
    SELECT c.* FROM subject u CROSS JOIN LATERAL charge_of(u.payment_id) c WHERE c.payment_id > $2::uuid
    UNION ALL
    (SELECT c.* FROM part p CROSS JOIN LATERAL crawls_of_line(p.site_id, p.crawler_id, p.rule, p.price,
                                                              p.first_id, p.end_id, $2::uuid) c
      ORDER BY c.payment_id LIMIT 500)
), page AS (
    SELECT f.* FROM found f
     WHERE NOT EXISTS (SELECT FROM dispute_finding g
                        WHERE g.dispute_id = $1::uuid AND g.payment_id = f.payment_id)
     ORDER BY f.payment_id LIMIT 500
)
SELECT c.payment_id, c.amount_micros, c.resource, c.rule, c.thumbprint, c.signature, c.signature_base,
       instant_ms(c.recorded_at) AS recorded_ms,
       CASE WHEN u.payment_id IS NULL THEN coalesce(v.broken, false)
            ELSE u.final_micros IS NULL END AS lost,
       coalesce(u.status, v.status, 0) AS lost_status,
       coalesce(u.told_by, CASE WHEN v.broken THEN 'gate' END, '') AS lost_by, r.payment_id AS repeats,
       coalesce(r.before_ms, 0) AS repeats_ms
  FROM page c LEFT JOIN undelivered u ON u.payment_id = c.payment_id
  LEFT JOIN LATERAL (
      SELECT bool_or(d.ended = 'broken') AND NOT bool_or(d.ended = 'whole') AS broken, max(d.status) AS status
        FROM delivery_of(c.payment_id) d) AS v ON true
  LEFT JOIN LATERAL (
      SELECT q.payment_id,
             instant_ms(uuid_instant(c.payment_id)) - instant_ms(uuid_instant(q.payment_id)) AS before_ms
        FROM page_copy_of(c.payment_id) p
        JOIN LATERAL page_copies(p.crawler_id, p.copy,
                                 uuid_floor(uuid_instant(p.payment_id) - interval '7 days'), p.payment_id) q
          ON q.site_id = p.site_id
        JOIN LATERAL charge_of(q.payment_id) e ON e.crawler_id = q.crawler_id AND e.amount_micros > 0
       WHERE p.crawler_id = c.crawler_id AND p.repeats IS NULL
         AND NOT EXISTS (SELECT FROM undelivered v
                          WHERE v.payment_id = q.payment_id AND v.final_micros IS NULL)
       ORDER BY q.payment_id DESC LIMIT 1) AS r ON true
 ORDER BY c.payment_id
