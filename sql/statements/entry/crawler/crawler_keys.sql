-- Keys that crawler $1 has paid with, the newest first.
-- columns: thumbprint bytea, directory_url text, first_seen_ms bigint
SELECT thumbprint, directory_url, instant_ms(first_seen_at) AS first_seen_ms FROM crawler_key
 WHERE crawler_id = $1::bigint
 ORDER BY first_seen_at DESC, thumbprint
