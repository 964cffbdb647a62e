-- Number series of site $1: no gaps, nothing beyond the counter, and numbers that say their own sequence.
-- columns of audit_finding: subject text, problem text
WITH taken AS (
    SELECT i.series, i.number, i.sequence, i.local_date,
           lag(i.sequence, 1, 0::bigint) OVER (PARTITION BY i.series ORDER BY i.sequence) AS before,
           max(i.sequence) OVER (PARTITION BY i.series) AS last
      FROM invoice i WHERE i.site_id = $1::bigint
), shape AS (
    SELECT t.*, split_part(t.series, '*', 1) AS head, split_part(t.series, '*', 2) AS tail FROM taken t
)
SELECT 'invoice ' || number AS subject,
       'follows number ' || before || ' of series "' || series || '"' AS problem
  FROM taken WHERE sequence <> before + 1
UNION ALL
SELECT 'invoice ' || number, 'has not the number ' || sequence || ' of series "' || series || '"'
  FROM shape
 WHERE series LIKE '%*%'
   AND (left(number, length(head)) <> head OR right(number, length(tail)) <> tail
        OR ltrim(substr(number, length(head) + 1, length(number) - length(head) - length(tail)), '0')
           <> sequence::text)
UNION ALL
SELECT 'number_series ' || n.series, 'counts to ' || n.last_number || ', the last number is '
           || coalesce(t.last, 0)
  FROM number_series n
  LEFT JOIN (SELECT DISTINCT series, last FROM taken) AS t USING (series)
 WHERE n.site_id = $1::bigint AND n.series NOT IN ('day', 'correction', 'agreement', 'token')
   AND n.last_number <> coalesce(t.last, 0)
UNION ALL
SELECT 'number_series agreement',
       'counts ' || coalesce(n.last_number, 0) || ' versions, there are ' || a.found
  FROM (SELECT count(*) AS found FROM agreement WHERE site_id = $1::bigint) AS a
  LEFT JOIN number_series n ON n.site_id = $1::bigint AND n.series = 'agreement'
 WHERE a.found <> coalesce(n.last_number, 0)
UNION ALL
SELECT 'number_series token', 'counts ' || coalesce(n.last_number, 0) || ' changes, there are ' || t.found
  FROM (SELECT (SELECT count(*) FROM token WHERE site_id = $1::bigint)
               + (SELECT count(*) FROM token_revocation WHERE site_id = $1::bigint) AS found) AS t
  LEFT JOIN number_series n ON n.site_id = $1::bigint AND n.series = 'token'
 WHERE t.found <> coalesce(n.last_number, 0)
UNION ALL
SELECT 'invoice ' || t.number, 'its series "' || t.series || '" has no counter'
  FROM taken t
 WHERE NOT EXISTS (SELECT FROM number_series n WHERE n.site_id = $1::bigint AND n.series = t.series)
 LIMIT 20
