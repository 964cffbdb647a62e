-- Invoices of site $1 whose crawler has rail $2 agreed on at $3 and that are in no batch yet, also of a rail
-- that was agreed on before, in the order of their numbers; or invoice $4 alone, for another attempt. What is
-- still open is for the document to say.
-- columns: number text, attempt integer, settlement jsonb, buyer jsonb
SELECT i.number,
       (SELECT coalesce(max(attempt), 0) + 1 FROM settlement t
         WHERE t.site_id = i.site_id AND t.number = i.number) AS attempt,
       a.settlement, a.buyer
  FROM invoice i
  JOIN LATERAL (
      SELECT settlement, buyer FROM agreement
       WHERE site_id = i.site_id AND crawler_id = i.crawler_id AND valid_from <= instant($3::bigint)
       ORDER BY version DESC LIMIT 1
  ) AS a ON a.settlement ->> 'rail' = $2::text
 WHERE i.site_id = $1::bigint
   AND CASE WHEN $4::text IS NULL
            THEN NOT EXISTS (SELECT FROM settlement t WHERE t.site_id = i.site_id AND t.number = i.number)
            ELSE i.number = $4::text END
 ORDER BY i.series, i.sequence
