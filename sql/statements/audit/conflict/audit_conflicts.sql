-- Refused attempts of site $1 that are kept and not counted, or whose signature is not what it was.
-- columns of audit_finding: subject text, problem text
SELECT 'conflict of payment id ' || c.payment_id || ' by ' || k.agent AS subject,
       count(*) || ' attempts are kept, ' || coalesce(n.attempts, 0) || ' were counted' AS problem
  FROM conflict c JOIN crawler k USING (crawler_id) LEFT JOIN conflict_count n USING (payment_id, crawler_id)
 WHERE c.site_id = $1::bigint
 GROUP BY c.payment_id, k.agent, n.attempts
HAVING count(*) > coalesce(n.attempts, 0)
UNION ALL
SELECT 'conflict of payment id ' || c.payment_id || ' by ' || k.agent,
       'its signature, or what was signed, is another than was kept'
  FROM conflict c JOIN crawler k USING (crawler_id)
 WHERE c.site_id = $1::bigint AND c.evidence <> sha256(c.signature || c.signature_base)
 ORDER BY 1 LIMIT 20
