-- What is recorded of invoice $2 of site $1 that may be the movement with reference $3 and identity $4.
-- columns: reference text, identity text, amount_minor bigint, received_on date
SELECT reference, identity, amount_minor, received_on FROM invoice_payment
 WHERE site_id = $1::bigint AND number = $2::text
   AND (reference IN ($3::text, $4::text) OR identity = $4::text)
