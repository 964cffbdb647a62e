INSERT INTO crawler_key_source (crawler_id, thumbprint, url, body_digest, first_relied_at)
VALUES ($1::bigint, $2::bytea, $3::text, $4::bytea, instant($5::bigint)) ON CONFLICT DO NOTHING
