-- Who used payment id $1 again, how often, and how many of these attempts are kept.
-- columns: agent text, attempts bigint, kept bigint
SELECT k.agent, n.attempts,
       (SELECT count(*) FROM conflict c WHERE c.payment_id = n.payment_id AND c.crawler_id = n.crawler_id)
           AS kept
  FROM conflict_count n JOIN crawler k USING (crawler_id)
 WHERE n.payment_id = $1::uuid ORDER BY n.attempts DESC, k.agent
