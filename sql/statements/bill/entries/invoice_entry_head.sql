-- The sites that have an invoice or credit note of number $1, or site $2 alone.
-- columns: site_id bigint, site text, currency text, kind text, corrects text null
SELECT site_id, site_name AS site, currency, kind, corrects FROM invoice
 WHERE number = $1::text AND ($2::text IS NULL OR site_name = $2::text)
