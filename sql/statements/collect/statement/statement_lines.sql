-- What happened on the account of site $1 and crawler $2 from $3 to $4, in order.
-- columns: at date, what text, number text, reference text, amount_minor bigint
SELECT at, what, number, reference, amount_minor
  FROM (SELECT i.issue_date AS at, CASE i.kind WHEN 'invoice' THEN 1 ELSE 2 END AS rank, i.kind AS what,
               i.number, coalesce(i.corrects, '') AS reference,
               CASE i.kind WHEN 'invoice' THEN i.total_minor ELSE -i.total_minor END AS amount_minor
          FROM invoice i WHERE i.site_id = $1::bigint AND i.crawler_id = $2::bigint
        UNION ALL
        SELECT p.received_on, 3, 'payment', p.number, p.reference, -p.amount_minor
          FROM invoice i JOIN invoice_payment p USING (site_id, number)
         WHERE i.site_id = $1::bigint AND i.crawler_id = $2::bigint) AS line
 WHERE at BETWEEN $3::date AND $4::date
 ORDER BY at, rank, number, reference
