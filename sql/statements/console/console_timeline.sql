-- What happened with the crawler of $1, the newest first: that it came, its keys, agreements, invoices and
-- their events, payments and disputes; the newest 200 of each. $2 is not used.
-- columns of console_row: row jsonb, cursor text
WITH who AS (
    SELECT crawler_id, agent, first_seen_at FROM crawler
     WHERE agent = $1::jsonb ->> 'crawler' AND $2::bigint IS NOT NULL
), told AS (
    SELECT first_seen_at AS at, 'first seen' AS event, '' AS site, '' AS detail, '' AS number, '' AS dispute
      FROM who
    UNION ALL
    SELECT y.first_seen_at, 'key first used', '', y.directory_url, '', ''
      FROM who JOIN crawler_key y USING (crawler_id)
    UNION ALL
    (SELECT a.recorded_at, 'agreement version ' || a.version, s.name, a.reason, '', ''
       FROM who JOIN agreement a USING (crawler_id) JOIN site s USING (site_id)
      ORDER BY a.recorded_at DESC LIMIT 200)
    UNION ALL
    (SELECT e.happened_at, CASE i.kind WHEN 'credit-note' THEN 'credit note ' ELSE 'invoice ' END || e.event,
            i.site_name, e.detail, i.number, ''
       FROM who JOIN invoice i USING (crawler_id) JOIN invoice_event e USING (site_id, number)
      ORDER BY e.happened_at DESC LIMIT 200)
    UNION ALL
    (SELECT p.recorded_at, 'payment', i.site_name, p.reference, i.number, ''
       FROM who JOIN invoice i USING (crawler_id) JOIN invoice_payment p USING (site_id, number)
      ORDER BY p.recorded_at DESC LIMIT 200)
    UNION ALL
    (SELECT e.happened_at, 'dispute ' || e.event, s.name, e.detail, '', d.dispute_id::text
       FROM who JOIN dispute d USING (crawler_id) JOIN dispute_event e USING (dispute_id)
       JOIN site s ON s.site_id = d.site_id
      ORDER BY e.happened_at DESC LIMIT 200)
)
SELECT jsonb_build_object('at', instant_text(at), 'event', event, 'site', site, 'detail', detail,
                          'number', number, 'dispute_id', dispute) AS row,
       row_number() OVER (ORDER BY at DESC, event, number, dispute)::text AS cursor
  FROM told ORDER BY at DESC, event, number, dispute LIMIT 500
