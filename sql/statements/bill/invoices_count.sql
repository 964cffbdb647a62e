-- How many numbers day $2 of site $1 needs: of invoices, of credit notes, of invoices in place of others.
-- columns: invoices bigint, credit_notes bigint, reissues bigint
SELECT (SELECT count(*) FROM crawler_day
         WHERE site_id = $1::bigint AND local_date = $2::date AND invoiced_micros > 0) AS invoices,
       (SELECT count(*) FROM billing_credits($1::bigint, $2::date)) AS credit_notes,
       (SELECT count(*) FROM billing_reissues($1::bigint, $2::date)) AS reissues
