-- What had come in for invoice $2 of site $1 by the end of day $3.
-- columns: minor bigint
SELECT coalesce(sum(amount_minor), 0)::bigint AS minor FROM invoice_payment
 WHERE site_id = $1::bigint AND number = $2::text AND received_on <= $3::date
