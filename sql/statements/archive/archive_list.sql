-- columns: utc_date date, entries bigint, sha256 text, file text, archived_ms bigint,
--   actor text
SELECT utc_date, entries, encode(file_digest, 'hex') AS sha256, file,
       instant_ms(happened_at) AS archived_ms, actor
  FROM archived ORDER BY utc_date
