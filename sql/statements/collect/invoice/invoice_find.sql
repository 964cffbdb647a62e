-- The sites that have number $1, or site $2 alone.
-- columns: site_id bigint, kind text, currency_decimals smallint
SELECT site_id, kind, currency_decimals FROM invoice
 WHERE number = $1::text AND ($2::text IS NULL OR site_name = $2::text)
