-- Days whose entries are in a file now. $1 and $2 are not used.
-- columns of console_row: row jsonb, cursor text
SELECT jsonb_build_object('date', utc_date, 'entries', entries, 'sha256', encode(file_digest, 'hex'),
                          'file', file, 'archived_at', instant_text(happened_at), 'actor', actor) AS row,
       utc_date::text AS cursor
  FROM archived WHERE $1::jsonb IS NOT NULL AND $2::bigint IS NOT NULL
 ORDER BY utc_date DESC LIMIT 20000
