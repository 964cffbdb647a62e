-- columns: site_id bigint, name text, time_zone text, currency text, currency_decimals smallint,
--   seller text, network text
SELECT site_id, name, time_zone, currency, currency_decimals, seller, network FROM site
 WHERE $1::text IS NULL OR name = $1::text ORDER BY name
