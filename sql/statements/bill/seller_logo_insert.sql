INSERT INTO seller_logo (digest, media_type, picture)
VALUES (encode(sha256($2::bytea), 'hex'), $1::text, $2::bytea) ON CONFLICT DO NOTHING
