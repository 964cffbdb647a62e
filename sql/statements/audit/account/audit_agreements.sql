-- Accounts of site $1 that name an agreement which is not theirs, or was not yet in force.
-- columns of audit_finding: subject text, problem text
SELECT 'crawler_day ' || t.local_date || ' ' || k.agent AS subject,
       'names agreement ' || t.agreement_id || ', which is another crawler''s, or was not in force' AS problem
  FROM crawler_day t JOIN crawler k USING (crawler_id) JOIN day d USING (site_id, local_date)
  LEFT JOIN agreement a ON a.agreement_id = t.agreement_id AND a.site_id = t.site_id
   AND a.crawler_id = t.crawler_id AND a.valid_from < d.ends_at
 WHERE t.site_id = $1::bigint AND t.agreement_id IS NOT NULL AND a.agreement_id IS NULL
 ORDER BY 1 LIMIT 20
