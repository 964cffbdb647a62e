-- Keys that the crawler of $1 has paid with, the newest first. $2 is not used.
-- columns of console_row: row jsonb, cursor text
SELECT jsonb_build_object(
           'thumbprint', rtrim(translate(encode(y.thumbprint, 'base64'), E'+/\n', '-_'), '='),
           'directory', y.directory_url, 'crawler', k.agent,
           'first_seen', instant_text(y.first_seen_at)) AS row,
       encode(y.thumbprint, 'hex') AS cursor
  FROM crawler k JOIN crawler_key y USING (crawler_id)
 WHERE k.agent = $1::jsonb ->> 'crawler' AND $2::bigint IS NOT NULL
 ORDER BY y.first_seen_at DESC, y.thumbprint LIMIT 20000
