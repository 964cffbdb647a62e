-- Which of thumbprints $1 are of keys that have paid.
-- columns: thumbprint bytea, agent text
SELECT c.thumbprint, k.agent FROM crawler_key c JOIN crawler k USING (crawler_id)
 WHERE c.thumbprint = ANY ($1::bytea[]) ORDER BY k.agent LIMIT 8
