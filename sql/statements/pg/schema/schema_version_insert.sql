INSERT INTO schema_version (version, name, applied_at) VALUES ($1::integer, $2::text, instant($3::bigint))
