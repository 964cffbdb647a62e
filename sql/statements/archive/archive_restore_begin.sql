SELECT archive_restore_begin($1::date)
