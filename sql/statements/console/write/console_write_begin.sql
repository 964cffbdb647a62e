-- The key $2 of token $1, before its request with hash $3 is done at $4: a row comes back if it is new.
-- columns: step integer
INSERT INTO console_write (name, key, step, happened_at, request, status, answer)
VALUES ($1::text, $2::text, 1, instant($4::bigint), $3::bytea, 0, '')
ON CONFLICT (name, key, step) DO NOTHING
RETURNING step
