INSERT INTO outbox (message_id, site_id, type, body, made_at)
VALUES ($1::text, $2::bigint, $3::text, $4::text, instant($5::bigint)) ON CONFLICT DO NOTHING
