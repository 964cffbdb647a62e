-- The answer $6, with status $5, to the request with hash $3 under key $2 of token $1, at $4.
INSERT INTO console_write (name, key, step, happened_at, request, status, answer)
VALUES ($1::text, $2::text, 2, instant($4::bigint), $3::bytea, $5::integer, $6::text)
