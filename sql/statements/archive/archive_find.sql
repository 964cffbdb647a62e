-- The file in which the entry of id $1 is, if there is one.
-- columns: file text, sha256 text
SELECT file, encode(file_digest, 'hex') AS sha256 FROM archived
 WHERE utc_date = (uuid_instant($1::uuid) AT TIME ZONE 'UTC')::date
