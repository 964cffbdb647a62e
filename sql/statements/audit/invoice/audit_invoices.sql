-- Invoices and credit notes of site $1: their own sums, and the accounts that they are made from.
-- columns of audit_finding: subject text, problem text
WITH line AS (
    SELECT l.number, sum(l.amount_micros) AS micros, count(*) AS lines, max(l.line) AS last_line
      FROM invoice_line l WHERE l.site_id = $1::bigint GROUP BY l.number
), account AS (
    SELECT t.*, coalesce((SELECT max(b.close_number) FROM crawler_day b
                           WHERE b.site_id = t.site_id AND b.crawler_id = t.crawler_id
                             AND b.invoiced_micros > 0 AND b.close_number < t.close_number), 0) AS last_close
      FROM crawler_day t WHERE t.site_id = $1::bigint
), billed AS (
    SELECT i.crawler_id, i.local_date, k.kind, sum(i.net_micros) AS net_micros, count(*) AS documents
      FROM invoice i
     CROSS JOIN LATERAL (SELECT CASE WHEN i.replaces IS NULL THEN i.kind ELSE 'reissue' END AS kind) AS k
     WHERE i.site_id = $1::bigint GROUP BY i.crawler_id, i.local_date, k.kind
), due AS (
    SELECT crawler_id, local_date, 'invoice' AS kind, invoiced_micros AS micros FROM account
     WHERE invoiced_micros > 0
    UNION ALL
    SELECT crawler_id, local_date, 'credit-note', credited_micros FROM account WHERE credited_micros > 0
    UNION ALL
    SELECT crawler_id, local_date, 'reissue', reissued_micros FROM account WHERE reissued_micros > 0
)
SELECT 'invoice ' || i.number AS subject,
       'its lines come to ' || coalesce(line.micros, 0) || ', it says ' || i.subtotal_micros AS problem
  FROM invoice i LEFT JOIN line USING (number)
 WHERE i.site_id = $1::bigint AND (line.micros IS DISTINCT FROM i.subtotal_micros
                                   OR line.lines IS DISTINCT FROM line.last_line)
UNION ALL
SELECT 'invoice ' || i.number, 'its sums do not add up'
  FROM invoice i
 WHERE i.site_id = $1::bigint
   AND (i.carried_in_micros + i.subtotal_micros <> i.net_micros + i.carried_out_micros
        OR i.net_micros <> i.net_minor * minor_micros(i.currency_decimals)
        OR i.kind = 'invoice' AND i.tax_minor <> tax_of(i.net_minor, i.tax_rate_ppm))
UNION ALL
SELECT 'invoice of ' || local_date || ' to ' || k.agent, 'the account says ' || coalesce(due.micros, 0)
           || ' in one ' || kind || ', there are ' || coalesce(b.documents, 0) || ' over '
           || coalesce(b.net_micros, 0)
  FROM due FULL JOIN billed b USING (crawler_id, local_date, kind) JOIN crawler k USING (crawler_id)
 WHERE due.micros IS DISTINCT FROM b.net_micros OR kind = 'invoice' AND b.documents IS DISTINCT FROM 1
UNION ALL
SELECT 'invoice ' || i.number, 'differs from its account: crawls, remainder or agreement'
  FROM invoice i JOIN account t USING (crawler_id, local_date)
 WHERE i.site_id = $1::bigint AND i.kind = 'invoice' AND i.replaces IS NULL
   AND (i.carried_out_micros <> t.carried_out_micros OR i.agreement_id IS DISTINCT FROM t.agreement_id
        OR i.entries <> (SELECT sum(p.entries) FROM account p
                          WHERE p.crawler_id = t.crawler_id AND p.close_number > t.last_close
                            AND p.close_number <= t.close_number))
UNION ALL
SELECT 'invoice ' || i.corrects, 'more was taken back by credit notes than it says'
  FROM invoice i JOIN invoice o ON o.site_id = i.site_id AND o.number = i.corrects
 WHERE i.site_id = $1::bigint
 GROUP BY i.corrects, o.net_micros, o.tax_minor
HAVING sum(i.net_micros) > o.net_micros OR sum(i.tax_minor) > o.tax_minor
 LIMIT 20
