-- Keys that crawler $1 has paid with, the newest first.
SELECT thumbprint, directory_url, instant_ms(first_seen_at) FROM crawler_key
 WHERE crawler_id = $1::bigint
 ORDER BY first_seen_at DESC, thumbprint
