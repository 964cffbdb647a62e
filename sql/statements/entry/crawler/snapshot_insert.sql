INSERT INTO directory_snapshot (url, body_digest, fetched_at, body, content_type, content_digest,
                                signature_input, signature)
VALUES ($1::text, $2::bytea, instant($3::bigint), $4::bytea, $5::text, $6::text, $7::text, $8::text)
ON CONFLICT DO NOTHING
