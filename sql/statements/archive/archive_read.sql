-- The file that holds UTC day $1 now, or no row.
SELECT file, encode(file_digest, 'hex'), entries FROM archived WHERE utc_date = $1::date
