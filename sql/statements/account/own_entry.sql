-- Whether id $3 is an entry of site $1 and crawler $2 (own), and whether entries of its day are in a file.
-- columns: own boolean, archived boolean
SELECT EXISTS (SELECT FROM charge c WHERE c.payment_id = $3::uuid AND c.site_id = $1::bigint
                  AND c.crawler_id = $2::bigint) AS own,
       EXISTS (SELECT FROM archived a
                WHERE a.utc_date = (uuid_instant($3::uuid) AT TIME ZONE 'UTC')::date) AS archived
