SELECT archive_restore_end($1::date, $2::text, $3::bigint, $4::text)
