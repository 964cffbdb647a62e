INSERT INTO schema_version (version, name, applied_at, oldest_gate)
VALUES ($1::integer, $2::text, instant($3::bigint), $4::integer)
