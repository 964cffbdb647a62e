-- Whether invoice $2 of site $1 has event $3 with detail $4.
-- columns: step integer
SELECT step FROM invoice_event
 WHERE site_id = $1::bigint AND number = $2::text AND event = $3::text AND detail = $4::text
