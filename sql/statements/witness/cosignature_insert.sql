-- A witness's answer that has come twice is kept once.
INSERT INTO cosignature (site_id, log_size, witness, line, cosigned_at)
VALUES ($1::bigint, $2::bigint, $3::text, $4::text, instant($5::bigint))
ON CONFLICT DO NOTHING
