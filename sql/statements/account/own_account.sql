-- The account of agent $2 at the site named $1. No row: it has none, as no page was ever paid for.
-- columns: site_id bigint, crawler_id bigint
SELECT s.site_id, c.crawler_id FROM site s CROSS JOIN crawler c
 WHERE s.name = $1::text AND c.agent = $2::text
