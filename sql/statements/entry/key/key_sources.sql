-- In which directories the key of thumbprint $1 and crawler $2 was found, and since when payments rely on
-- each.
-- columns: url text, first_relied_ms bigint, bodies bigint
SELECT url, instant_ms(min(first_relied_at)) AS first_relied_ms, count(*) AS bodies
  FROM crawler_key_source WHERE thumbprint = $1::bytea AND crawler_id = $2::bigint
 GROUP BY url ORDER BY 2, 1
