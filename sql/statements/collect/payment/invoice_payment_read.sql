-- columns: amount_minor bigint
SELECT amount_minor FROM invoice_payment
 WHERE site_id = $1::bigint AND number = $2::text AND reference = $3::text
