-- The number of the newest interim checkpoint of site $1; 0: there is none.
-- columns: number bigint
SELECT coalesce(max(number), 0) AS number FROM interim WHERE site_id = $1::bigint
