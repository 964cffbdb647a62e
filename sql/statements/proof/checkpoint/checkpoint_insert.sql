INSERT INTO checkpoint (site_id, log_size, local_date, day_root, leaf, log_root, note, verifier_key)
VALUES ($1::bigint, $2::bigint, $3::date, $4::bytea, $5::bytea, $6::bytea, $7::text, $8::text)
