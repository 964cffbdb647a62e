INSERT INTO crawler_key (crawler_id, thumbprint, public_key, directory_url, first_seen_at)
VALUES ($1::bigint, $2::bytea, $3::text, $4::text, instant($5::bigint)) ON CONFLICT DO NOTHING
