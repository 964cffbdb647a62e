-- The crawler whose agent is $1, if there is one.
-- columns: crawler_id bigint
SELECT crawler_id FROM crawler WHERE agent = $1::text
