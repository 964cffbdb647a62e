SELECT archive_day($1::date, $2::bigint, $3::bigint, $4::bytea, $5::text, $6::bigint, $7::text)
