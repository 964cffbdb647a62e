-- By what site $1 names its log.
-- columns: network text, name text
SELECT network, name FROM site WHERE site_id = $1::bigint
