-- Whether pages of day $2 of site $1 were paid for and not delivered, or have a final amount.
-- columns: found boolean
SELECT EXISTS (SELECT FROM billing_day($1::bigint, $2::date) b
                 JOIN undelivered u ON u.site_id = $1::bigint AND u.payment_id >= b.first_id
                  AND u.payment_id < b.end_id) AS found
