-- What was last asked for invoice $2 of site $1.
-- columns: amount_minor bigint
SELECT amount_minor FROM settlement WHERE site_id = $1::bigint AND number = $2::text
 ORDER BY attempt DESC LIMIT 1
