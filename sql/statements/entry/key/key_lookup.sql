-- The accounts that have paid with the key of thumbprint $1.
-- columns: agent text, crawler_id bigint, public_key text, directory_url text, first_seen_ms bigint
SELECT k.agent, c.crawler_id, c.public_key, c.directory_url, instant_ms(c.first_seen_at) AS first_seen_ms
  FROM crawler_key c JOIN crawler k USING (crawler_id) WHERE c.thumbprint = $1::bytea ORDER BY k.agent
