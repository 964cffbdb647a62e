-- The file in which the entry of id $1 is, if there is one.
SELECT utc_date, file, encode(file_digest, 'hex') FROM archived
 WHERE utc_date = (uuid_instant($1::uuid) AT TIME ZONE 'UTC')::date
