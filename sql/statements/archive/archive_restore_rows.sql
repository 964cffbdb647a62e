SELECT archive_restore_rows($1::date, $2::text[])
