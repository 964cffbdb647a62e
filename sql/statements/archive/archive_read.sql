-- The digest of the file that holds UTC day $1 now, or no row.
-- columns: sha256 text
SELECT encode(file_digest, 'hex') AS sha256 FROM archived WHERE utc_date = $1::date
